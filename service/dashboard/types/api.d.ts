/** Components of the OpenAPI document. Written by `make types`; a test fails when it is not current. */
declare namespace Api {
  interface ActivationView {
    name: string;
    version: number | null;
    newest_version: number | null;
    title: string;
    formula: string;
    computed_as: string;
    same_as: string | null;
    latex: string;
    derivative: string | null;
    derivative_latex: string | null;
    parameters: Array<ParameterView>;
    properties: Properties;
    recommended_initialisation: InitialisationView;
    advice: AdviceView | null;
    known_problem: AdviceView | null;
    named_in_article: boolean;
    note: string | null;
    estimated_cost: EstimatedCost;
    created_at: string | null;
    archived_at: string | null;
  }
  interface AdviceView {
    text: string;
    source: string;
  }
  interface ArchiveSelection {
    ids?: Array<string> | null;
    filters?: ExperimentFilters | null;
    archived?: boolean;
  }
  interface AttemptView {
    attempt: number;
    worker: string;
    started_at: string;
    ended_at: string | null;
    outcome: Outcome | null;
    cause: Cause | null;
    detail: string | null;
    epochs: number;
    log_tail: string;
  }
  interface AttemptsView {
    items: Array<AttemptView>;
  }
  interface AuditView {
    id: string;
    at: string;
    principal: string;
    name: string;
    action: string;
    path: string | null;
    address: string | null;
    details: Record<string, any>;
  }
  type Cause = "diverged" | "out_of_memory" | "worker_lost" | "timeout" | "invalid_data" | "internal_error" | "cancelled";
  interface Choice {
    factors: Record<string, string | number | boolean | null>;
    learning_rate: number | null;
    at_edge: boolean;
    scores: Array<RateScore>;
  }
  interface Claim {
    number: number;
    claim: string;
    rule: string;
    verdict: "supported" | "refuted" | "undecided";
    missing: Array<string>;
    parts: Array<Part>;
    notes: Array<string>;
  }
  interface Claims {
    claims: Array<Claim>;
  }
  interface ClassFigures {
    label: number;
    support: number;
    precision: number | null;
    recall: number | null;
    f1: number | null;
  }
  interface Comparison {
    metric: string;
    groups: Array<Group>;
    pairs: Array<Pair>;
    family: Family;
    summary: Array<string>;
    seeds_needed: SeedsNeeded | null;
    effects: Array<Effect>;
  }
  interface Curve {
    factors: Record<string, string | number | boolean | null>;
    epochs: Array<number>;
    mean: Array<number | null>;
    low: Array<number | null>;
    high: Array<number | null>;
    n: Array<number>;
    n_non_finite: Array<number>;
    n_diverged: number;
    seconds: Array<number> | null;
    reached: Reached | null;
    seeds: Record<string, Array<number | null>> | null;
  }
  interface CurveView {
    x: Array<number>;
    y: Array<number | null>;
    dy: Array<number | null>;
  }
  interface Curves {
    metric: "validation_accuracy" | "train_accuracy" | "validation_loss" | "train_loss" | "validation_total_loss" | "train_total_loss" | "l2" | "learning_rate";
    title: string;
    unit: string;
    higher_is_better: boolean | null;
    groups: Array<Curve>;
    reference: Reference | null;
  }
  interface DatasetView {
    name: string;
    shape: Array<number>;
    classes: number;
    training_images: number;
    test_images: number;
    on_server: boolean;
    missing: string | null;
  }
  interface Detectable {
    grid: string | null;
    metric: "test_accuracy";
    seeds: number;
    groups: number;
    pairs: number;
    power: number;
    alpha: number;
    difference: number | null;
    difference_widest: number | null;
    spreads_known: number;
    text: string;
  }
  interface DiagnosticsView {
    items: Array<LayerView>;
    valid_through_epoch: number;
    revision: number;
  }
  interface DifferingImage {
    index: number;
    a_correct: number;
    b_correct: number;
  }
  interface DifferingImages {
    a: Record<string, string | number | boolean | null>;
    b: Record<string, string | number | boolean | null>;
    n_a: number;
    n_b: number;
    test_images: number;
    total: number;
    images: Array<DifferingImage>;
  }
  interface EarlyStopping {
    patience?: number;
    min_delta?: number;
  }
  interface Effect {
    factor: string;
    levels: Array<Level>;
    n: number;
    n_left_out: number;
    combinations: number;
    n_combinations_left_out: number;
    range: number | null;
    range_interval: [number, number] | null;
    reason: string | null;
  }
  interface EpochView {
    epoch: number;
    attempt: number;
    train_loss: number | null;
    train_accuracy: number | null;
    validation_loss: number | null;
    validation_accuracy: number | null;
    l2: number | null;
    learning_rate: number;
    seconds: number;
    images_per_second: number;
    non_finite: Array<string>;
  }
  interface EstimatedCost {
    nodes: number;
    fused: boolean;
    time_ratio: number;
    intermediate_tensors: number;
    bytes_per_element: number;
    bytes_per_batch: number;
  }
  interface Evidence {
    factors: Record<string, string | number | boolean | null>;
    seeds: Array<number>;
    experiments: Array<string>;
  }
  interface ExperimentCount {
    count: number;
  }
  interface ExperimentFilters {
    status?: Status | Array<Status> | null;
    activation?: string | Array<string> | null;
    dataset?: "mnist" | "mnist_5k" | "fashion_mnist" | "digits" | Array<"mnist" | "mnist_5k" | "fashion_mnist" | "digits"> | null;
    study?: string | Array<string> | null;
    tag?: string | Array<string> | null;
    text?: string | Array<string> | null;
    epochs_min?: number | null;
    epochs_max?: number | null;
    batch_size_min?: number | null;
    batch_size_max?: number | null;
    dropout_min?: number | null;
    dropout_max?: number | null;
    learning_rate_min?: number | null;
    learning_rate_max?: number | null;
    test_accuracy_min?: number | null;
    test_accuracy_max?: number | null;
    validation_accuracy_min?: number | null;
    validation_accuracy_max?: number | null;
    validation_loss_min?: number | null;
    validation_loss_max?: number | null;
    best_validation_accuracy_min?: number | null;
    best_validation_accuracy_max?: number | null;
    best_validation_loss_min?: number | null;
    best_validation_loss_max?: number | null;
    created_by?: string | Array<string> | null;
    mine?: boolean;
    created_min?: string | null;
    created_max?: string | null;
    archived?: "false" | "true" | "any";
    query?: string | null;
  }
  interface ExperimentPatch {
    name?: string | null;
    tags?: Array<string> | null;
    notes?: string | null;
    archived?: boolean | null;
  }
  interface ExperimentSelection {
    ids?: Array<string> | null;
    filters?: ExperimentFilters | null;
  }
  interface ExperimentSubmission {
    activation: "celu" | "elu" | "gelu" | "gelu_tanh" | "hard_shrink" | "hard_sigmoid" | "hard_swish" | "hard_tanh" | "leaky_relu" | "linear" | "log_sigmoid" | "mish" | "prelu" | "relu" | "relu6" | "relu_squared" | "rrelu" | "selu" | "sigmoid" | "silu" | "sine" | "soft_shrink" | "softmax" | "softplus" | "softsign" | "step" | "swish" | "swish2" | "tanh" | "tanh_shrink" | string | Record<string, any>;
    dataset?: "mnist" | "mnist_5k" | "fashion_mnist" | "digits";
    epochs?: number;
    model?: ModelSpec;
    batch_size?: number;
    dropout?: number | Record<string, any>;
    seed?: number;
    validation_fraction?: number;
    train_samples?: number | null;
    classes?: Array<number> | null;
    optimizer?: OptimizerSpec;
    schedule?: "reduce_on_plateau" | "none" | "cosine";
    max_seconds?: number | null;
    output?: "softmax" | "sigmoid";
    early_stopping?: EarlyStopping | null;
    precision?: "auto" | "float32" | "bfloat16";
    diagnostics?: boolean;
    priority?: number;
    name?: string | null;
    tags?: Array<string>;
    notes?: string | null;
  }
  interface ExperimentView {
    id: string;
    name: string | null;
    status: Status;
    cause: Cause | null;
    detail: string | null;
    remedy: string | null;
    waiting_reason: string | null;
    queue_position: number | null;
    cancel_requested: boolean;
    attempt: number;
    lost_count: number;
    study_id: string | null;
    created_by: string;
    activation_label: string;
    spec: Record<string, any>;
    tags: Array<string>;
    notes: string | null;
    priority: number;
    epochs_done: number;
    test_accuracy: number | null;
    test_loss: number | null;
    best_epoch: number | null;
    best_test_accuracy: number | null;
    best_test_loss: number | null;
    validation_accuracy: number | null;
    validation_loss: number | null;
    best_validation_accuracy: number | null;
    best_validation_loss: number | null;
    seconds: number | null;
    early_loss: number | null;
    images_per_second: number | null;
    retry_of: string | null;
    edit_version: number;
    created_at: string;
    started_at: string | null;
    finished_at: string | null;
    archived_at: string | null;
    revision: number;
  }
  interface Family {
    metric: string;
    title: string;
    unit: string;
    higher_is_better: boolean;
    pairs: number;
    versus: Record<string, string | number | boolean | null> | null;
    reference: Record<string, string | number | boolean | null> | null;
    alpha: number;
    p_correction: string;
    interval_correction: string;
    interval_confidence: number;
    disagreements: number;
    margin: number | null;
    relative_margin: boolean;
    decision: string;
    intervals: string;
  }
  interface Fingerprint {
    torch: string;
    numpy: string;
    device: string;
    device_name: string;
    instruction_set: string;
    threads: number;
    precision: string;
    execution: string;
    code: string;
    mixed: boolean;
  }
  interface GivenParameterView {
    value: number;
    learnable: boolean;
  }
  interface Grid {
    name: string;
    base: Record<string, any>;
    factors: Record<string, Array<any>>;
    seeds: Array<number> | null;
  }
  interface Group {
    factors: Record<string, string | number | boolean | null>;
    names: Array<Record<string, string | number | boolean | null>>;
    n: number;
    n_duplicate: number;
    n_diverged: number;
    n_failed: number;
    n_pending: number;
    mean: number | null;
    sd: number | null;
    median: number | null;
    min: number | null;
    max: number | null;
    interval: [number, number] | null;
    test_image_interval: [number, number] | null;
    seeds: Record<string, number> | null;
    rank: [number, number];
  }
  interface Health {
    status: string;
    version: string;
  }
  interface InitialisationView {
    name: string;
    source: string;
  }
  interface KeyRequest {
    name: string;
    role: Role;
    expires?: string | null;
  }
  interface KeyView {
    id: string;
    name: string;
    role: Role;
    created_at: string;
    created_by: string;
    expires_at: string | null;
    revoked_at: string | null;
    last_used_at: string | null;
  }
  interface KeysView {
    items: Array<KeyView>;
  }
  interface LayerView {
    epoch: number;
    layer: string;
    position: number;
    units: number;
    zero_share: number | null;
    saturated_share: number | null;
    dead_share: number | null;
    dead_share_confirmed: number | null;
    inactive_share: number | null;
    mean_before: number | null;
    sd_before: number | null;
    mean_after: number | null;
    sd_after: number | null;
    gradient_norm: number | null;
    gradient_rms: number | null;
    update_ratio: number | null;
    unchanged: boolean | null;
    parameters: Record<string, number | null>;
    non_finite: Array<string>;
    attempt: number;
  }
  interface Level {
    value: string | number | boolean | null;
    mean: number;
    interval: [number, number] | null;
  }
  interface LinearCollapse {
    inputs: number;
    images: number;
    largest_difference: number | null;
    collapsed: boolean;
  }
  interface MetricsView {
    items: Array<EpochView>;
    valid_through_epoch: number;
    revision: number;
  }
  interface Misclassified {
    test_images: number;
    n: number;
    indices: Array<number>;
  }
  interface ModelSpec {
    conv_channels?: Array<number>;
    dense_units?: number;
    dense_layers?: number;
    batch_norm?: boolean;
    pool?: "max" | "avg";
    init?: "glorot_uniform" | "he_normal" | "recommended";
  }
  interface NewActivation {
    parameters?: Record<string, number | Record<string, any>>;
    formula: string;
    note?: string | null;
    name: string;
  }
  interface NewKeyView {
    id: string;
    name: string;
    role: Role;
    created_at: string;
    created_by: string;
    expires_at: string | null;
    revoked_at: string | null;
    last_used_at: string | null;
    key: string;
  }
  interface NewShareView {
    id: string;
    study_id: string;
    created_at: string;
    created_by: string;
    expires_at: string | null;
    revoked_at: string | null;
    views: number;
    last_viewed_at: string | null;
    url: string;
  }
  interface NewVersion {
    parameters?: Record<string, number | Record<string, any>>;
    formula: string;
    note?: string | null;
  }
  interface OptimizerSpec {
    name?: "adam" | "sgd" | "adadelta";
    learning_rate?: number | null;
    momentum?: number;
    l2?: number;
  }
  type Outcome = "succeeded" | "failed" | "cancelled" | "released" | "lost";
  interface Page_ActivationView_ {
    items: Array<ActivationView>;
    next_cursor: string | null;
  }
  interface Page_AuditView_ {
    items: Array<AuditView>;
    next_cursor: string | null;
  }
  interface Page_ExperimentView_ {
    items: Array<ExperimentView>;
    next_cursor: string | null;
  }
  interface Page_StudyView_ {
    items: Array<StudyView>;
    next_cursor: string | null;
  }
  interface Pair {
    a: Record<string, string | number | boolean | null>;
    b: Record<string, string | number | boolean | null>;
    test: "paired t" | "Welch t" | "Welch t of log errors" | null;
    difference: number | null;
    interval: [number, number] | null;
    p: number | null;
    p_adjusted: number | null;
    p_holm: number | null;
    p_attainable: number | null;
    hedges_g: number | null;
    wilcoxon_p: number | null;
    probability_of_improvement: number | null;
    p_equivalence: number | null;
    within_margin: boolean | null;
    verdict: "better" | "worse" | "equivalent" | "undecided" | "undecided (diverged)" | "not tested";
    interval_disagrees: boolean;
    seeds_to_decide: SeedsToDecide | null;
    diverged: Rates | null;
  }
  interface ParameterView {
    name: string;
    default: number;
    minimum: number;
    maximum: number;
    learnable: boolean;
    may_learn: boolean;
  }
  interface Part {
    title: string;
    verdict: "supported" | "refuted" | "undecided";
    context: Record<string, string | number | boolean | null>;
    n: number;
    mean: number | null;
    interval: [number, number] | null;
    confidence: number | null;
    unit: string;
    limit: number | null;
    missing: Array<string>;
    evidence: Array<Evidence>;
  }
  interface PreviewView {
    formula: string;
    computed_as: string;
    same_as: string | null;
    latex: string;
    derivative: string | null;
    derivative_latex: string | null;
    parameters: Record<string, GivenParameterView>;
    properties: Properties;
    curve: CurveView;
    estimated_cost: EstimatedCost;
  }
  interface PrincipalView {
    id: string;
    name: string;
    role: Role;
    expires_at: string | null;
    open: boolean;
  }
  interface Problem {
    type?: string;
    title: string;
    status: number;
    detail: string;
    code: string;
    errors?: Array<ProblemItem>;
  }
  interface ProblemItem {
    pointer?: string | null;
    parameter?: string | null;
    column?: number | null;
    detail: string;
    code: string;
  }
  interface Properties {
    defined: boolean | null;
    undefined: Array<[number | null, number | null]> | null;
    range: [number | null, number | null] | null;
    bounded: boolean | null;
    monotonic: "constant" | "non_decreasing" | "non_increasing" | "neither" | null;
    differentiable_at_0: boolean | null;
    value_at_0: number | null;
    slope_at_0: number | null;
    near_identity: boolean | null;
    largest_slope: number | null;
    mean_of_normal: number | null;
    zero_centred: boolean | null;
    saturating_sides: Array<"left" | "right"> | null;
  }
  interface PublishedCurve {
    factors: Record<string, string | number | boolean | null>;
    epochs: Array<number>;
    values: Array<number>;
  }
  interface QueueView {
    queued: number;
    running: number;
    oldest_queued_seconds: number | null;
    eta_seconds: number | null;
    by_priority: Record<string, number>;
  }
  interface RateScore {
    learning_rate: number;
    n: number;
    n_diverged: number;
    validation_accuracy: number | null;
    validation_loss: number | null;
  }
  interface Rates {
    rate_a: number | null;
    rate_b: number | null;
    fisher_p: number;
  }
  interface Reached {
    level: number;
    n: number;
    n_reached: number;
    median_epochs: number | null;
    median_seconds: number | null;
  }
  interface Readiness {
    status: string;
    database: string;
    schema_revision: string;
    disk_free_bytes: number;
    disk_used_share: number;
    workers_alive: number;
  }
  interface Reference {
    name: "kizrak-2019";
    source: string;
    metric: string;
    curves: Array<PublishedCurve>;
    defects: Array<string>;
    comparability: Array<string>;
    differs: Array<string>;
  }
  interface ResultView {
    last: ScoreView;
    best: ScoreView;
    per_class: Array<ClassFigures>;
    confusion_matrix: Array<Array<number>>;
    fingerprint: Fingerprint;
    checksum: string | null;
    collapse: LinearCollapse | null;
  }
  type Role = "viewer" | "submitter" | "admin";
  interface ScoreView {
    epoch: number;
    test_loss: number | null;
    test_accuracy: number;
    interval: [number, number];
  }
  interface SeedsNeeded {
    a: Record<string, string | number | boolean | null>;
    b: Record<string, string | number | boolean | null>;
    n: number;
    seeds: number | null;
    power: number;
    alpha: number;
    estimate: true;
  }
  interface SeedsToDecide {
    more: number | null;
    n: number;
    finding: "difference" | "equivalence" | null;
    power: number;
    estimate: true;
  }
  interface ShareRequest {
    expires?: string | null;
  }
  interface ShareView {
    id: string;
    study_id: string;
    created_at: string;
    created_by: string;
    expires_at: string | null;
    revoked_at: string | null;
    views: number;
    last_viewed_at: string | null;
  }
  interface SharesView {
    items: Array<ShareView>;
  }
  interface SignIn {
    key: string;
  }
  type Status = "queued" | "running" | "succeeded" | "failed" | "cancelled";
  interface StudyPatch {
    name?: string | null;
    question?: string | null;
    notes?: string | null;
    tags?: Array<string> | null;
    archived?: boolean | null;
    seeds?: Array<number>;
    reference?: string | boolean | number | Record<string, any> | null;
  }
  interface StudyPlan {
    cells: number;
    experiments: number;
    reused: number;
    tuning_experiments: number;
    train_seconds: number | null;
    seconds: number | null;
    workers: number;
    basis: string;
    detectable: Array<Detectable>;
  }
  interface StudySpec {
    preset?: "quick" | "kizrak-2019" | "claims" | null;
    name?: string | null;
    question?: string | null;
    notes?: string | null;
    tags?: Array<string>;
    base?: Record<string, any>;
    factors?: Record<string, Array<any>>;
    grids?: Array<Grid>;
    seeds?: Array<number>;
    reuse?: boolean;
    tuning?: Tuning | null;
    reference?: string | boolean | number | Record<string, any> | null;
  }
  interface StudyView {
    id: string;
    name: string | null;
    question: string | null;
    notes: string | null;
    tags: Array<string>;
    preset: string | null;
    created_by: string;
    base: Record<string, any>;
    factors: Record<string, Array<any>>;
    grids: Array<Grid>;
    seeds: Array<number>;
    tuning: TuningView | null;
    reference: string | boolean | number | Record<string, any> | null;
    reuse: boolean;
    tunes: string | null;
    activations: Record<string, number>;
    experiments: number;
    progress: Record<string, number>;
    retryable: number;
    finished: boolean;
    eta_seconds: number | null;
    cancelled_at: string | null;
    archived_at: string | null;
    edit_version: number;
    created_at: string;
    revision: number;
  }
  interface TagSelection {
    ids?: Array<string> | null;
    filters?: ExperimentFilters | null;
    add?: Array<string>;
    remove?: Array<string>;
  }
  interface Tuning {
    rates: Array<number>;
    seeds?: Array<number>;
  }
  interface TuningView {
    rates: Array<number>;
    seeds: Array<number>;
    study: string;
    tuned_at: string | null;
    choices: Array<Choice>;
  }
  interface WorkerView {
    id: string;
    hostname: string;
    pid: number;
    device: string;
    device_name: string;
    memory: Record<string, number | null>;
    status: string;
    alive: boolean;
    problem: string | null;
    experiments: Array<string>;
    versions: Record<string, string>;
    started_at: string;
    last_seen: string;
  }
  interface WorkersView {
    items: Array<WorkerView>;
  }
}
