"""PostgreSQL and Redis servers that belong to the tests, on free ports, so that a test may kill and wipe them."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psycopg
import redis


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def missing(*programs: str) -> list[str]:
    return [program for program in programs if shutil.which(program) is None]


class NginxServer:
    """An nginx that speaks TLS, with a `server` block of the documentation."""

    PROGRAMS = ("nginx", "openssl")

    def __init__(self, folder: Path, block: str) -> None:
        """`block` has the places {port}, {certificate} and {key}."""
        self.folder = folder
        self.port = free_port()
        self.certificate, key = folder / "test.crt", folder / "test.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        for place, value in {"port": self.port, "certificate": self.certificate, "key": key}.items():
            block = block.replace(f"{{{place}}}", str(value))
        user = "user root;" if os.getuid() == 0 else ""
        temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                             ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
        self.configuration = folder / "nginx.conf"
        self.configuration.write_text(
            f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log stderr warn;"
            f" events {{}} http {{ access_log off; {temporary}\n{block}\n}}"
        )

    def start(self) -> Self:
        with (self.folder / "log").open("ab") as output:
            command = ["nginx", "-p", str(self.folder), "-c", str(self.configuration), "-e", "stderr"]
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        _await(self._listens)
        return self

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class PostgresServer:
    """A cluster of its own; `start` and `stop` as often as a test likes, `remove` at the end."""

    PROGRAMS = ("initdb", "postgres")

    def __init__(self) -> None:
        # Not under pytest's folder: only its owner may enter that, and the server may run as another user.
        self.folder = Path(tempfile.mkdtemp(prefix="actlab-postgres-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self.user = "postgres" if os.getuid() == 0 else None
        self._initialise()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://actlab@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url().replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)

    def start(self) -> Self:
        options = [
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={self.folder}",
            "-c",
            "fsync=off",
            "-c",
            "autovacuum=off",  # statistics of a table that happens to be empty would decide what plans tests see
        ]
        with (self.folder / "log").open("ab") as output:
            self.process = subprocess.Popen(
                ["postgres", "-D", self.folder / "data", "-p", str(self.port), *options],
                user=self.user,
                stdout=output,
                stderr=output,
            )
        _await(self._answers)
        return self

    def stop(self, number: int = signal.SIGINT) -> None:
        """SIGINT: a fast shutdown. SIGQUIT: an immediate one, as after a power cut."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _initialise(self) -> None:
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        command = [
            "initdb",
            "-D",
            str(self.folder / "data"),
            "-U",
            "actlab",
            "-A",
            "trust",
            "-N",
            "-E",
            "UTF8",
            "--no-locale",
        ]
        subprocess.run(command, user=self.user, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


class RedisServer:
    PROGRAMS = ("redis-server",)

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Self:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _await(self._answers)
        return self

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as connection:
                return bool(connection.ping())
        except redis.ConnectionError:
            return False


def can_run_as_postgres() -> bool:
    """Return whether there is a user to run PostgreSQL as."""
    try:
        return os.getuid() != 0 or bool(pwd.getpwnam("postgres"))
    except KeyError:
        return False


def _await(answers: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not answers():
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not answer")
        time.sleep(0.05)
