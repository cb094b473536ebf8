"""A client of the HTTP API."""

from types import TracebackType
from typing import Any, Self

import httpx2 as httpx

Json = dict[str, Any]


class ApiError(Exception):
    """The service said no. `code` is stable; `errors` has one entry for each wrong field."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(problem.get("detail") or f"HTTP {status}")
        self.status = status
        self.code: str = problem.get("code", "unknown")
        self.errors: list[Json] = problem.get("errors", [])


class Client:
    """Talks to one ActLab service. `url` is its root, such as http://127.0.0.1:8000."""

    def __init__(self, url: str, *, timeout: float = 40.0) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout)

    def healthy(self) -> bool:
        """Whether an ActLab service answers there."""
        try:
            answer = self._http.get("/healthz", timeout=2.0)
            return answer.status_code == 200 and answer.json().get("status") == "ok"
        except (httpx.HTTPError, ValueError):
            return False

    def submit_experiment(self, spec: Json, *, idempotency_key: str | None = None) -> Json:
        return self._post("/experiments", spec, idempotency_key)

    def submit_study(self, spec: Json, *, idempotency_key: str | None = None) -> Json:
        return self._post("/studies", spec, idempotency_key)

    def experiment(self, id: str, *, wait: float = 0) -> Json:
        """One experiment; with `wait`, as soon as it has ended or after so many seconds."""
        return self._get(f"/experiments/{id}", wait=wait)

    def experiments(self, **filters: Any) -> list[Json]:
        """All experiments that match, page by page."""
        page = self._get("/experiments", **filters)
        items: list[Json] = page["items"]
        while page["next_cursor"]:
            page = self._get("/experiments", **filters, cursor=page["next_cursor"])
            items += page["items"]
        return items

    def metrics(self, id: str, *, since: int | None = None) -> Json:
        """Figures per epoch; with `since`, those that changed after that revision."""
        return self._get(f"/experiments/{id}/metrics", **({} if since is None else {"since": since}))

    def result(self, id: str) -> Json:
        return self._get(f"/experiments/{id}/result")

    def attempts(self, id: str) -> list[Json]:
        items: list[Json] = self._get(f"/experiments/{id}/attempts")["items"]
        return items

    def cancel(self, id: str) -> Json:
        return _checked(self._http.post(f"/api/v1/experiments/{id}/cancel"))

    def study(self, id: str, *, wait: float = 0) -> Json:
        return self._get(f"/studies/{id}", wait=wait)

    def comparison(self, **query: Any) -> Json:
        return self._get("/comparisons", **query)

    def workers(self) -> list[Json]:
        items: list[Json] = self._get("/workers")["items"]
        return items

    def queue(self) -> Json:
        return self._get("/queue")

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _get(self, path: str, **query: Any) -> Json:
        return _checked(self._http.get(f"/api/v1{path}", params=query))

    def _post(self, path: str, body: Json, idempotency_key: str | None) -> Json:
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return _checked(self._http.post(f"/api/v1{path}", json=body, headers=headers))


def _checked(answer: httpx.Response) -> Json:
    try:
        body: Json = answer.json()
    except ValueError:
        body = {}
    if answer.is_error:
        raise ApiError(answer.status_code, body)
    return body
