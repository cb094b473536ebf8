"""The settings of the service. Each process reads them once from the environment; actlab.configuration reads those of
clients."""

import logging
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from service.domain.errors import ConfigurationError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""The addresses that stand for every address of the machine, and the one by which it reaches itself then."""

MOST_PROCESSES = 4
"""The most API processes by default: more cores are better left to training."""

SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://\S+:\d+", re.IGNORECASE)
"""The form of `<SERVICE>_PORT`, a variable that Kubernetes and `docker --link` give to a container for each service."""

# Of the standard library: a command may read settings before it configures structlog, and both end on stderr.
log = logging.getLogger(__name__)


class _Environment(EnvSettingsSource):
    """The environment variables that are not empty, without white space around them, such as the carriage return that a
    file from Windows leaves; without a port that is a link to a service."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        value, key, is_complex = super().get_field_value(field, field_name)
        if isinstance(value, str):
            value = value.strip()
        if field_name == "port" and SERVICE_LINK.fullmatch(value or ""):
            log.warning(
                "ACTLAB_%s=%s is ignored: it is no setting, but the address that Kubernetes gives to each pod of a"
                " Service of this name. The default holds; `enableServiceLinks: false` ends this warning.",
                field_name.upper(),
                value,
            )
            value = None
        return None if value == "" else value, key, is_complex


class Settings(BaseSettings):
    """Settings; each field is the environment variable ACTLAB_<FIELD>. A test compares them with docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix="ACTLAB_", frozen=True, extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls)

    home: Path = Field(Path(".actlab"), description="Folder of all files: database, spool, checkpoints, logs, data.")
    host: str = Field("127.0.0.1", description="Address that the API binds. Any other than loopback needs an API key.")
    port: int = Field(8000, ge=0, le=65535, description="Port that the API binds.")
    api_processes: int | None = Field(
        None, ge=1, le=64, description="API processes on the port; default: one for each core, at most 4."
    )
    insecure: bool = Field(
        False, description="Serve without API keys an address that others can reach, or behind a proxy."
    )
    admin_key: SecretStr | None = Field(
        None, description="API key in the format of keys, which the service stores as that of an admin when it starts."
    )
    admin_key_file: Path | None = Field(None, description="File that holds such a key, in place of ACTLAB_ADMIN_KEY.")
    root_path: str = Field(
        "",
        pattern=r"^(/[0-9A-Za-z._~-]+)*$",
        description="Path below which a reverse proxy serves pages and API, such as `/actlab`.",
    )
    rate_per_minute: int = Field(600, ge=0, description="Most requests of one API key in a minute; 0: no limit.")
    submits_per_hour: int = Field(
        1000, ge=0, description="Most requests of one API key in an hour that queue experiments; 0: no limit."
    )
    max_queued: int = Field(50_000, ge=0, description="Most queued experiments of one API key; 0: no limit.")
    trusted_proxies: str = Field(
        "",
        description="Addresses and networks of reverse proxies, comma-separated, whose X-Forwarded-For and"
        " X-Forwarded-Proto count; `*`: all.",
    )
    share_embedding: str = Field(
        "",
        pattern=r"^(\*|https?://[\w.:*-]+( https?://[\w.:*-]+)*)?$",
        description="Origins that may embed the pages of share links, separated by spaces; `*`: all.",
    )
    allowed_hosts: str = Field(
        "", description="Further host names, comma-separated, that requests may name in their Host header."
    )
    data_dir: Path | None = Field(
        None, description="Folder with your own files of data sets: `<dir>/mnist/*`, packed by gzip or not."
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL, such as `postgresql+psycopg://...`; default: SQLite under ACTLAB_HOME."
    )
    broker_url: str | None = Field(
        None, description="Celery broker, such as `redis://...`; default: a spool folder under ACTLAB_HOME."
    )
    pool_size: int = Field(8, ge=2, le=200, description="Database connections of one process.")
    statement_seconds: float = Field(
        30.0, ge=1, le=3600, description="Most seconds that one statement may take on PostgreSQL, its answer included."
    )
    admission_seconds: float = Field(
        5.0, gt=0, le=60, description="Most seconds that a request waits for a connection before it is answered 503."
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, le=104_857_600, description="Largest request body, in bytes.")
    max_study_experiments: int = Field(10_000, ge=1, le=100_000, description="Most experiments of one study.")
    lease_seconds: float = Field(
        30.0, ge=0.5, le=3600, description="Seconds without a renewal after which a worker is lost."
    )
    renew_seconds: float = Field(5.0, ge=0.1, le=600, description="Seconds between two renewals of a worker's lease.")
    checkpoint_seconds: float = Field(30.0, ge=0, le=86_400, description="Least seconds between two checkpoints.")
    stall_seconds: float = Field(
        120.0, ge=1, le=86_400, description="Most seconds of one training step; a longer one ends the worker."
    )
    stall_start_seconds: float = Field(
        900.0, ge=1, le=86_400, description="Most seconds of loading or downloading data and of the first step."
    )
    outage_seconds: float = Field(
        600.0, ge=0, le=86_400, description="Most seconds that a worker retries while the database cannot be reached."
    )
    download_hours: float = Field(
        6.0, ge=0, le=8760, description="Most hours that experiments wait for a data set that cannot be downloaded now."
    )
    max_losses: int = Field(3, ge=1, le=100, description="Losses without progress after which an experiment fails.")
    reap_seconds: float = Field(
        5.0, ge=0.05, le=600, description="Seconds between two searches of a process for lost experiments."
    )
    reconcile_seconds: float = Field(
        2.0, ge=0.05, le=600, description="Seconds between two wakes of idle workers for queued work."
    )
    poll_seconds: float = Field(
        0.3,
        ge=0.05,
        le=60,
        description="Seconds between two queries of an API process for changes, for all its listeners.",
    )
    heartbeat_seconds: float = Field(
        15.0, ge=0.1, le=3600, description="Most seconds between two messages of a stream of events."
    )
    max_listeners: int = Field(
        1000, ge=0, le=100_000, description="Most streams of events of the API processes on one port together."
    )
    recycle_after: int = Field(
        200, ge=0, description="Experiments after which a worker that has grown by a quarter restarts itself; 0: never."
    )
    weights_days: float | None = Field(None, gt=0, description="Days after which weights are removed; default: never.")
    restart_seconds: float = Field(
        30.0, ge=0, le=3600, description="Most seconds before `actlab up` restarts a process that ended early."
    )
    audit_days: float = Field(365.0, gt=0, le=36_500, description="Days after which entries of the audit are removed.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Device on which workers train.")
    threads: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="CPU threads of a worker; default: all cores that its affinity and CPU quota leave it, divided"
        " among the workers of `actlab up`.",
    )
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] = Field(
        "auto",
        description="Most workers of `actlab up`, started as there is work; auto: on CPU one for each core, at most 8,"
        " and on a GPU one.",
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port on which a worker serves its metrics; it takes the first free one from there on.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address at which workers serve their metrics, without keys.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level of log lines that are shown."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Form of log lines: text for people, or JSON; auto: JSON where stderr is no terminal."
    )
    fault: str = Field(
        "",
        description="For tests: crash points, such as `claim.before_commit:kill`, comma-separated; or `@` and a file of"
        " them.",
    )
    trace: bool = Field(False, description="For tests: record every transition in the table `lifecycle_trace`.")

    @field_validator("home", "data_dir")
    @classmethod
    def _expand_home(cls, path: Path | None) -> Path | None:
        """Expand `~`, which a shell leaves as it is in a quoted value, and which env files and unit files keep."""
        return None if path is None else Path(os.path.expanduser(path))  # keeps the `~` of an unknown user

    @property
    def processes(self) -> int:
        """The number of API processes."""
        return self.api_processes or default_processes()

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home.resolve() / 'actlab.db'}"

    @property
    def broker(self) -> str:
        return self.broker_url or "spool://localhost"

    @property
    def spool(self) -> Path:
        return self.home.resolve() / "spool"

    @property
    def checkpoints(self) -> Path:
        return self.home.resolve() / "checkpoints"

    @property
    def weights(self) -> Path:
        return self.home.resolve() / "weights"

    @property
    def logs(self) -> Path:
        return self.home.resolve() / "logs"

    @property
    def own_url(self) -> str:
        """The URL of the API for clients on this machine."""
        host = ANY_ADDRESS.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """The host names, without ports, that requests may name in their Host header."""
        extra = {name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip()}
        return frozenset({*LOOPBACK, self.host.lower(), *extra})

    def check_exposure(self, *, keys: bool) -> None:
        """Raise ConfigurationError for an address that other machines can reach, unless there are API keys or
        `insecure` is set."""
        if self.host not in LOOPBACK and not keys and not self.insecure:
            raise ConfigurationError(
                f"ACTLAB_HOST={self.host} can be reached from other machines, and there is no API key. Make one with"
                " `actlab keys create --role admin --name NAME`, or set ACTLAB_ADMIN_KEY. If the network itself keeps"
                " strangers out, pass --insecure (ACTLAB_INSECURE=true)."
            )

    def admin_key_text(self) -> str | None:
        """Return the admin key of the settings. Raises ConfigurationError for two of them, or an unreadable file."""
        if self.admin_key is not None and self.admin_key_file is not None:
            raise ConfigurationError("ACTLAB_ADMIN_KEY and ACTLAB_ADMIN_KEY_FILE are both set; set one of them.")
        if self.admin_key_file is None:
            return None if self.admin_key is None else self.admin_key.get_secret_value()
        try:
            return self.admin_key_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"ACTLAB_ADMIN_KEY_FILE={self.admin_key_file} cannot be read: {error}") from error


def default_processes() -> int:
    """Return the number of cores that this process may use, at most MOST_PROCESSES; 1 beside Linux, where forked
    processes have not been tried."""
    return min(len(os.sched_getaffinity(0)), MOST_PROCESSES) if sys.platform == "linux" else 1


def load() -> Settings:
    """Read the settings of this process. Raises ConfigurationError, with the variable, its bound and the value."""
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [
            f"ACTLAB_{str(problem['loc'][0]).upper()}: {problem['msg']}, got {problem['input']!r}"
            for problem in error.errors()
        ]
        raise ConfigurationError("; ".join(lines)) from error
    if settings.renew_seconds * 2 > settings.lease_seconds:
        raise ConfigurationError(
            f"ACTLAB_RENEW_SECONDS={settings.renew_seconds:g} must be at most half of"
            f" ACTLAB_LEASE_SECONDS={settings.lease_seconds:g}, or one late renewal loses the lease"
        )
    return settings
