"""Examples of answers for the OpenAPI document: one study and one of its experiments, as every route shows them.

Each is an instance of its model, so that it follows the model's fields. Examples of request bodies stand beside their
models, in service.domain.
"""

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from uuid import UUID

from pydantic import BaseModel

from service.access.roles import Role
from service.api.http.problem import Problem, ProblemItem
from service.api.schemas.attempts import AttemptsView, AttemptView
from service.api.schemas.audit import AuditView
from service.api.schemas.base import Page
from service.api.schemas.diagnostics import DiagnosticsView, LayerView
from service.api.schemas.epochs import EpochsView, EpochView
from service.api.schemas.experiments import ExperimentView
from service.api.schemas.keys import KeysView, KeyView, NewKeyView, PrincipalView
from service.api.schemas.results import ResultView, ScoreView
from service.api.schemas.shares import NewShareView, SharesView, ShareView
from service.api.schemas.studies import StudyPlan, StudyView
from service.api.schemas.workers import QueueView, WorkersView, WorkerView
from service.domain.article_claims.answer import ArticleClaim, ArticleClaims, ClaimPart, Evidence
from service.domain.comparisons.detectable import detectable
from service.domain.network import dense_name
from service.domain.presets import PRESETS
from service.domain.results import ClassFigures, Fingerprint
from service.domain.spec import ExperimentSpec
from service.domain.status import Outcome, Status
from service.domain.study import StudySpec
from service.domain.workers import WorkerMemory

SUBMITTED = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
STARTED = SUBMITTED + timedelta(seconds=1.25)
FINISHED = STARTED + timedelta(seconds=20.65)
WORKER = "lab-1:4711:0198c1d2"
CPU = "Intel(R) Xeon(R) Platinum 8481C"
VERSION = version("actlab")
TORCH = "2.13.0"

STUDY_SPEC = StudySpec(
    name="quick",
    question="Which activation learns best in three short epochs?",
    base=PRESETS["quick"]["base"],
    factors={"activation": ["relu", "swish"]},
    seeds=[0, 1, 2, 3, 4],
    reference="relu",
)
STUDY = StudyView(
    **STUDY_SPEC.model_dump(exclude={"tuning"}),
    id=UUID("0198c1d2-7e4f-7a31-8b0c-5d6e7f809102"),
    tuning=None,
    tunes=None,
    activations={},
    experiments=STUDY_SPEC.size,
    created_by="Wq3x81Zt",
    progress={Status.QUEUED: 5, Status.RUNNING: 1, Status.SUCCEEDED: 4, Status.FAILED: 0, Status.CANCELLED: 0},
    retryable=0,
    finished=False,
    eta_seconds=74.0,
    cancelled_at=None,
    archived_at=None,
    edit_version=1,
    created_at=SUBMITTED,
    revision=131,
)
STUDY_PLAN = StudyPlan(
    cells=2,
    experiments=STUDY_SPEC.size,
    reused=0,
    tuning_experiments=0,
    train_seconds=110.4,
    seconds=55.2,
    workers=2,
    basis="The pace of recent epochs of the same network and batch size, on the kinds of device that live workers"
    " have.",
    detectable=[detectable(None, 5, 2, [0.0024, 0.0026], reference=True)],
)

SPEC = ExperimentSpec.model_validate(STUDY_SPEC.base | {"activation": "swish"})
LAST = ScoreView(epoch=SPEC.epochs, test_loss=0.1274, test_accuracy=0.961, interval=(0.947, 0.971))
EXPERIMENT = ExperimentView(
    id=UUID("0198c1d2-7e51-7c44-9f3a-1b2c3d4e5f60"),
    name="swish, quick look",
    status=Status.SUCCEEDED,
    cause=None,
    detail=None,
    remedy=None,
    cancel_requested=False,
    attempt=1,
    lost_count=0,
    study_id=STUDY.id,
    principal="Wq3x81Zt",
    activation="swish",
    spec=SPEC.model_dump(mode="json"),
    tags=["quick"],
    notes=None,
    priority=0,
    epochs_done=SPEC.epochs,
    test_accuracy=LAST.test_accuracy,
    test_loss=LAST.test_loss,
    best_epoch=LAST.epoch,
    best_test_accuracy=LAST.test_accuracy,
    best_test_loss=LAST.test_loss,
    validation_accuracy=0.955,
    validation_loss=0.1502,
    best_validation_accuracy=0.955,
    best_validation_loss=0.1502,
    seconds=18.4,
    early_loss=0.4137,
    images_per_second=612.9,
    retry_of=None,
    edit_version=1,
    created_at=SUBMITTED,
    started_at=STARTED,
    finished_at=FINISHED,
    archived_at=None,
    revision=128,
)
EPOCHS = EpochsView(
    items=[
        EpochView(
            epoch=SPEC.epochs,
            attempt=EXPERIMENT.attempt,
            train_loss=0.2213,
            train_accuracy=0.9336,
            validation_loss=0.1502,
            validation_accuracy=0.955,
            l2=0.0071,
            learning_rate=SPEC.optimizer.learning_rate,
            seconds=5.9,
            images_per_second=610.2,
            non_finite=[],
        )
    ],
    valid_through_epoch=EXPERIMENT.epochs_done,
    revision=EXPERIMENT.revision,
)
DIAGNOSTICS = DiagnosticsView(
    items=[
        LayerView(
            epoch=SPEC.epochs,
            attempt=EXPERIMENT.attempt,
            layer=dense_name(1),
            position=2,
            units=SPEC.model.dense_units,
            zero_share=0.0,
            saturated_share=0.041,
            dead_share=0.0078125,
            dead_share_confirmed=0.0,
            inactive_share=0.0078125,
            mean_before=-0.141,
            sd_before=1.003,
            mean_after=0.219,
            sd_after=0.488,
            gradient_norm=0.0923,
            gradient_rms=8.5e-05,
            update_ratio=0.0031,
            unchanged=False,
            parameters={},
            non_finite=[],
        )
    ],
    valid_through_epoch=EXPERIMENT.epochs_done,
    revision=EXPERIMENT.revision,
)
RESULT = ResultView(
    last=LAST,
    best=LAST,
    per_class=[
        ClassFigures(label=0, support=500, precision=0.97, recall=0.958, f1=0.964),
        ClassFigures(label=1, support=500, precision=0.952, recall=0.964, f1=0.958),
    ],
    confusion_matrix=[[479, 21], [18, 482]],
    fingerprint=Fingerprint(
        torch=TORCH,
        numpy="2.4.6",
        device="cpu",
        device_name=CPU,
        instruction_set="AVX512",
        threads=8,
        precision="float32",
        code=VERSION,
    ),
    checksum="9c4b1f6f0e0f4f27c1ad9c0be1f2ac36f2f6d0a4b5a1de7b9b6c33f0d5d8a7e1",
)
ATTEMPTS = AttemptsView(
    items=[
        AttemptView(
            attempt=EXPERIMENT.attempt,
            worker=WORKER,
            started_at=STARTED,
            ended_at=FINISHED,
            outcome=Outcome.SUCCEEDED,
            cause=None,
            detail=None,
            epochs=SPEC.epochs,
            log_tail="epoch 3/3 validation accuracy 0.9550\n",
        )
    ]
)

_MISSING = ["5 seeds with a value; there are 3 (sigmoid and tanh)"]
CLAIMS = ArticleClaims(
    claims=[
        ArticleClaim(
            number=4,
            claim="tanh converges faster than sigmoid.",
            rule="V(A_sigmoid - A_tanh, ln 1.05)",
            verdict="undecided",
            missing=_MISSING,
            parts=[
                ClaimPart(
                    title="A(sigmoid) - A(tanh)",
                    verdict="undecided",
                    context={"dataset": SPEC.dataset, "epochs": SPEC.epochs},
                    n=3,
                    mean=0.412,
                    unit="ln nats",
                    limit=0.0488,
                    missing=_MISSING,
                    evidence=[Evidence(factors={"activation": "sigmoid"}, seeds=[0], experiments=[EXPERIMENT.id])],
                )
            ],
        )
    ]
)

WORKERS = WorkersView(
    items=[
        WorkerView(
            id=WORKER,
            hostname="lab-1",
            pid=4711,
            device="cpu",
            device_name=CPU,
            memory=WorkerMemory(total=33_554_432_000, used=1_482_000_000).model_dump(),
            status="busy",
            alive=True,
            experiments=[UUID("0198c1d2-7e53-7d10-a5b6-c7d8e9f00112")],
            versions={"actlab": VERSION, "torch": TORCH},
            started_at=SUBMITTED - timedelta(minutes=30),
            last_seen=SUBMITTED + timedelta(seconds=67),
        )
    ]
)
QUEUE = QueueView(queued=5, running=1, oldest_queued_seconds=67.0, eta_seconds=74.0, by_priority={0: 5})

KEY = KeyView(
    id="Wq3x81Zt",
    name="ci",
    role=Role.SUBMITTER,
    created_at=SUBMITTED - timedelta(days=7),
    created_by="b07GkPnA",
    expires_at=SUBMITTED + timedelta(days=83),
    revoked_at=None,
    last_used_at=SUBMITTED,
)
NEW_KEY = NewKeyView(**KEY.model_dump(exclude={"last_used_at"}), last_used_at=None, key=f"actlab_{KEY.id}_{'s' * 43}")
PRINCIPAL = PrincipalView(id=KEY.id, name=KEY.name, role=KEY.role, expires_at=KEY.expires_at, open=False)
SHARE = ShareView(
    id=UUID("0198c1d2-7e61-7a10-8b2c-3d4e5f607182"),
    study_id=STUDY.id,
    created_at=SUBMITTED,
    created_by=KEY.id,
    expires_at=SUBMITTED + timedelta(days=30),
    revoked_at=None,
    views=3,
    last_viewed_at=FINISHED,
)
NEW_SHARE = NewShareView(**SHARE.model_dump(exclude={"views", "last_viewed_at"}), views=0, last_viewed_at=None,
                         url=f"/s/{'t' * 43}")  # fmt: skip
AUDIT = AuditView(
    id=UUID("0198c1d2-7e60-7b22-9c1d-2e3f40516273"),
    at=SUBMITTED,
    principal=KEY.id,
    name=KEY.name,
    action="submit_study",
    path="/api/v1/studies",
    address="192.0.2.7",
    details={"location": f"/api/v1/studies/{STUDY.id}"},
)

PROBLEM = Problem(
    type="about:blank",
    title="The request is not valid",
    status=422,
    detail="epochs: Should be greater than or equal to 1, got 0.",
    code="validation_error",
    errors=[
        ProblemItem(
            pointer="/epochs",
            parameter=None,
            column=None,
            detail="Should be greater than or equal to 1, got 0",
            code="greater_than_equal",
        )
    ],
)

ANSWERS: list[BaseModel] = [
    EXPERIMENT,
    Page[ExperimentView](items=[EXPERIMENT], next_cursor=None),
    EPOCHS,
    DIAGNOSTICS,
    RESULT,
    ATTEMPTS,
    STUDY,
    Page[StudyView](items=[STUDY], next_cursor=None),
    STUDY_PLAN,
    CLAIMS,
    WORKERS,
    QUEUE,
    KEY,
    NEW_KEY,
    KeysView(items=[KEY]),
    PRINCIPAL,
    SHARE,
    NEW_SHARE,
    SharesView(items=[SHARE]),
    AUDIT,
    Page[AuditView](items=[AUDIT], next_cursor=None),
]
