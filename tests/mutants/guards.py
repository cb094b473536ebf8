"""The guards that protect experiments: the edits that remove each one, and the tests of which one must fail then."""

from tests.mutants.gate import Edit, Guard

TRANSITIONS = "service/storage/queue/transitions.py"
LOST_WORKERS = "service/storage/queue/lost_workers.py"
LEASES = "service/storage/queue/leases.py"
ORDER = "service/storage/queue/order.py"
EXPERIMENTS = "service/storage/records/experiments.py"
DOWNLOADS = "service/storage/queue/downloads.py"
REAPER = "service/background/reaper.py"
DEPENDENCIES = "service/api/http/dependencies.py"
ATTEMPT = "worker/attempt.py"

TRANSITION_TESTS = "tests/storage/queue/test_transitions.py::"
CLAIM_TESTS = "tests/storage/queue/test_claim.py::"
DOWNLOAD_TESTS = "tests/storage/queue/test_downloads.py::"
LOST_WORKER_TESTS = "tests/storage/queue/test_lost_workers.py::"
CANCEL_TESTS = "tests/storage/queue/test_cancel.py::"
MACHINE_TEST = "tests/storage/queue/test_machine.py::test_life_cycle_matches_the_model"
RACE_TESTS = "tests/storage/queue/test_races.py::"
REAPER_TESTS = "tests/background/test_reaper.py::"
ATTEMPT_TESTS = "tests/worker/test_attempt.py::"


def guard(name: str, file: str, old: str, new: str, *tests: str) -> Guard:
    return Guard(name, (Edit(file, old, new),), tests)


GUARDS = [
    # --- the fence ---
    guard(
        "fence: compares the attempt",
        LEASES,
        "EXPERIMENTS.attempt == attempt, ",
        "",
        TRANSITION_TESTS + "test_write_after_a_lost_lease_raises_fence_lost",
    ),
    guard(
        "fence: compares the status",
        LEASES,
        ", EXPERIMENTS.status == Status.RUNNING",
        "",
        MACHINE_TEST + "[sqlite]",
    ),
    guard(
        "fence: protects a renewal",
        TRANSITIONS,
        "_RENEW = _RUNNING.values(",
        '_RENEW = update(table_of(Experiment)).where(EXPERIMENTS.id == bindparam("fence_id")).values(',
        TRANSITION_TESTS + "test_write_after_a_lost_lease_raises_fence_lost",
    ),
    guard(
        "fence: keeps epochs of a newer attempt",
        "service/storage/records/epochs.py",
        'unless_newer="attempt"',
        "unless_newer=None",
        TRANSITION_TESTS + "test_older_attempt_does_not_overwrite_epochs",
    ),
    guard(
        "fence: keeps diagnostics of a newer attempt",
        "service/storage/records/diagnostics.py",
        'unless_newer="attempt"',
        "unless_newer=None",
        "tests/storage/records/test_diagnostics.py::test_older_attempt_does_not_overwrite_layers",
    ),
    guard(
        "fence: a lost lease stops training at the next step",
        ATTEMPT,
        "if self.lease.lost:",
        "if False:",
        ATTEMPT_TESTS + "test_run_stops_at_the_step_that_sees_a_flag",
    ),
    # --- claim ---
    guard(
        "claim: takes queued experiments only",
        ORDER,
        "        Experiment.status == Status.QUEUED,\n        ~Experiment.cancel_requested,",
        "        ~Experiment.cancel_requested,",
        CLAIM_TESTS + "test_claim_orders_by_priority_then_age",
    ),
    guard(
        "claim: takes the share that has used the least time",
        ORDER,
        "Experiment.priority.desc(), *shares.order(used), ",
        "Experiment.priority.desc(), ",
        "tests/storage/queue/test_shares.py::test_claim_gives_two_studies_the_same_time",
    ),
    guard(
        "claim: skips experiments with a requested cancel",
        ORDER,
        "        ~Experiment.cancel_requested,\n",
        "",
        CLAIM_TESTS + "test_claim_skips_experiments_with_a_cancel_request",
    ),
    guard(
        "claim: returns the owner's experiments first",
        TRANSITIONS,
        "    if owned:\n        return _claim_again(session, owned[:limit])\n",
        "",
        CLAIM_TESTS + "test_claim_returns_running_experiments_of_the_same_owner",
    ),
    guard(
        "claim: starts the owner's experiments from their checkpoint",
        TRANSITIONS,
        "return _claim_again(session, owned[:limit])",
        "return [Claim.of(row) for row in owned[:limit]]",
        CLAIM_TESTS + "test_claim_of_a_running_experiment_starts_from_its_checkpoint",
    ),
    guard(
        "claim: deletes epochs past the checkpoint",
        TRANSITIONS,
        "    epochs.forget_undone(session, [row.id for row in rows])\n",
        "",
        CLAIM_TESTS + "test_claim_deletes_epochs_past_the_checkpoint",
    ),
    guard(
        "claim: deletes diagnostics past the checkpoint",
        "service/storage/records/epochs.py",
        "    diagnostics.forget_undone(session, experiments)\n",
        "",
        "tests/storage/records/test_diagnostics.py::test_claim_deletes_layers_past_the_checkpoint_and_keeps_epoch_0",
    ),
    guard(
        "claim: starts a new attempt",
        TRANSITIONS,
        "attempt=Experiment.attempt + 1,",
        "attempt=func.max(Experiment.attempt, 1),",
        MACHINE_TEST + "[sqlite]",
    ),
    guard(
        "claim: SKIP LOCKED on PostgreSQL",
        ORDER,
        "skip_locked=True, ",
        "",
        RACE_TESTS + "test_claim_does_not_wait_for_another_claim",
    ),
    guard(
        "claim: BEGIN IMMEDIATE on SQLite",
        "service/storage/engine/database.py",
        '.get("begin", "BEGIN IMMEDIATE")',
        '.get("begin", "BEGIN")',
        RACE_TESTS + "test_concurrent_claims_never_share_an_experiment[sqlite-100]",
    ),
    # --- downloads ---
    guard(
        "claim: leaves out data sets that are to be downloaded later",
        TRANSITIONS,
        "order.due(limit, only)",
        "order.due(limit)",
        DOWNLOAD_TESTS + "test_claim_leaves_out_a_data_set_that_is_to_be_tried_later",
    ),
    guard(
        "downloads: an experiment waits from its submission on",
        DOWNLOADS,
        "Experiment.created_at <= long_ago, ",
        "",
        DOWNLOAD_TESTS + "test_record_failure_ends_the_patience_after_failure_and_submission",
    ),
    guard(
        "downloads: a machine leaves experiments to others",
        DOWNLOADS,
        "        return ~true()\n",
        "        pass\n",
        DOWNLOAD_TESTS + "test_record_failure_leaves_experiments_to_a_machine_that_may_train_them",
    ),
    guard(
        "downloads: several workers count one failure",
        "service/storage/records/downloads.py",
        ".where(_is(dataset, machine), ~is_waiting())",
        ".where(_is(dataset, machine))",
        "tests/storage/records/test_downloads.py::test_record_counts_one_failure_of_several_workers",
    ),
    guard(
        "downloads: a mirror that may send the files later fails no experiment",
        "service/datasets/download.py",
        "may_pass = may_pass or _may_pass(problem)",
        "may_pass = False",
        "tests/worker/test_downloads.py::test_waiting_reason_names_the_data_set_and_the_mirror",
    ),
    guard(
        "downloads: an attempt asks whether another worker has failed since its claim",
        ATTEMPT,
        "        if reason is not None:\n            raise self._without_data(name, reason)\n",
        "",
        "tests/worker/test_downloads.py::test_run_does_not_repeat_a_download_that_failed_after_the_claim",
    ),
    # --- cancel ---
    guard(
        "cancel: refuses later writes of the worker",
        TRANSITIONS,
        "_GUARDED = _RUNNING.where(~EXPERIMENTS.cancel_requested)",
        "_GUARDED = _RUNNING",
        RACE_TESTS + "test_cancel_during_a_claim_is_obeyed[sqlite-100]",
        CANCEL_TESTS + "test_write_after_a_cancel_raises_cancel_requested",
    ),
    guard(
        "cancel: skips ended experiments",
        TRANSITIONS,
        ".where(which, Experiment.status.in_((Status.QUEUED, Status.RUNNING)), ~Experiment.cancel_requested)",
        ".where(which, ~Experiment.cancel_requested)",
        MACHINE_TEST + "[sqlite]",
    ),
    guard(
        "cancel: prevails over a lost worker",
        LOST_WORKERS,
        "        (Experiment.cancel_requested, Status.CANCELLED),\n",
        "",
        CANCEL_TESTS + "test_loss_after_a_cancel_ends_as_cancelled",
    ),
    guard(
        "cancel: stops training at the next step",
        ATTEMPT,
        "if self.lease.cancel_requested:",
        "if False:",
        ATTEMPT_TESTS + "test_run_stops_at_the_step_that_sees_a_flag",
    ),
    # --- lost workers ---
    guard(
        "reaper: watches a lease for its whole time",
        REAPER,
        "return lease.expired and self._watched_for(lease) >= self._settings.lease_seconds",
        "return lease.expired",
        REAPER_TESTS + "test_look_requeues_a_lease_watched_while_expired",
    ),
    guard(
        "reaper: restarts the watch of a renewed lease",
        REAPER,
        "(watch.attempt, watch.until) == (lease.fence.attempt, lease.until)",
        "watch.attempt == lease.fence.attempt",
        REAPER_TESTS + "test_lease_that_expires_again_is_watched_for_a_whole_lease",
    ),
    guard(
        "reaper: restarts all watches after an outage",
        REAPER,
        "            self._watched.clear()  # the watch has a gap, so it begins again\n",
        "",
        REAPER_TESTS + "test_database_outage_restarts_the_watch",
    ),
    guard(
        "reaper: restarts all watches after a database took no writes",
        REAPER,
        "if silent and not self._could_renew(silent):",
        "if False:",
        REAPER_TESTS + "test_database_that_takes_no_writes_restarts_the_watch",
    ),
    guard(
        "reaper: does not count a loss that no process saw",
        REAPER,
        "counted=self._watched[lease.fence.id].alive",
        "counted=True",
        REAPER_TESTS + "test_look_counts_no_loss_of_a_lease_that_expired_unseen",
    ),
    guard(
        "lost worker: compares the lease with the watched one",
        LOST_WORKERS,
        "Experiment.lease_until == watched_until, ",
        "",
        LOST_WORKER_TESTS + "test_requeue_expired_skips_a_lease_renewed_since_it_was_watched",
    ),
    guard(
        "lost worker: the lease has expired by the database's clock",
        LOST_WORKERS,
        ", over(lease_seconds))",
        ")",
        LOST_WORKER_TESTS + "test_requeue_expired_skips_an_unexpired_lease",
    ),
    guard(
        "lost worker: a lease too far in the future has expired",
        LEASES,
        ", Experiment.lease_until > after(lease_seconds + MARGIN_SECONDS))",
        ")",
        REAPER_TESTS + "test_look_requeues_a_lease_from_before_the_clock_was_set_back",
    ),
    guard(
        "lost worker: only progress resets the count",
        TRANSITIONS,
        "case((_ADVANCED, 0), else_=EXPERIMENTS.lost_count)",
        "0",
        LOST_WORKER_TESTS + "test_record_checkpoint_resets_losses_on_progress",
    ),
    guard(
        "lost worker: training again from the start is no progress",
        TRANSITIONS,
        "func.coalesce(EXPERIMENTS.furthest_step, -1)",
        "func.coalesce(EXPERIMENTS.checkpoint_step, -1)",
        LOST_WORKER_TESTS + "test_start_over_is_no_progress",
    ),
    Guard(
        "lost worker: the experiment fails at max_losses",
        (
            Edit(LOST_WORKERS, "        (losses >= lost_worker.max_losses, Status.FAILED),\n", ""),
            Edit(
                LOST_WORKERS,
                "or_(Experiment.cancel_requested, losses >= lost_worker.max_losses)",
                "Experiment.cancel_requested",
            ),
            Edit(LOST_WORKERS, "        (losses >= lost_worker.max_losses, Cause.WORKER_LOST),\n", ""),
        ),
        (LOST_WORKER_TESTS + "test_loss_requeues_until_the_third_fails",),
    ),
    # --- end ---
    guard(
        "end: records a success once",
        TRANSITIONS,
        "if _already(session, fence, Status.SUCCEEDED):",
        "if False:",
        TRANSITION_TESTS + "test_repeated_end_changes_nothing",
    ),
    guard(
        "end: closes the attempt",
        TRANSITIONS,
        "    attempts.close_attempt(session, fence.id, fence.attempt, Outcome.RELEASED, detail=detail)\n",
        "",
        MACHINE_TEST + "[sqlite]",
    ),
    # --- resuming ---
    guard(
        "checkpoint: compares the SHA-256",
        "worker/checkpoints.py",
        "if _sha256(file) != checkpoint.sha256:",
        "if False:",
        "tests/worker/test_checkpoints.py::test_read_rejects_a_file_that_is_not_the_recorded_one",
    ),
    # --- answers ---
    guard(
        "answer: commits the Idempotency-Key with the change",
        "service/api/http/idempotency.py",
        "        earlier = None if self._request is None else idempotency.reserve(session, ",
        "        with Session(session.get_bind(), expire_on_commit=False) as other, other.begin():\n"
        "            earlier = None if self._request is None else idempotency.reserve(other, ",
        "tests/api/http/test_idempotency.py::test_failed_commit_releases_its_key[postgresql]",
    ),
    Guard(
        "answer: is sent after the commit",
        (
            Edit(
                DEPENDENCIES,
                'ServicesDep = Annotated[Services, Depends(services, scope="function")]',
                "ServicesDep = Annotated[Services, Depends(services)]",
            ),
            Edit(DEPENDENCIES, 'Depends(_admitted, scope="function")', 'Depends(_admitted, scope="request")'),
            Edit(DEPENDENCIES, 'Depends(_write_session, scope="function")', 'Depends(_write_session, scope="request")'),
        ),
        (
            "tests/api/http/test_transactions.py::test_write_session_answers_an_error_when_the_commit_fails[sqlite-submit_experiment]",
        ),
    ),
    guard(
        "revision: a checkpoint that resets the count makes a change",
        TRANSITIONS,
        '    record_transition(session, [(fence.id, fence.attempt)], "checkpoint")\n',
        "",
        LOST_WORKER_TESTS + "test_record_checkpoint_resets_losses_on_progress",
    ),
    guard(
        "locks: a retry takes a key-share lock on the experiment it repeats",
        EXPERIMENTS,
        "with_for_update(of=Experiment, key_share=True)",
        "with_for_update(of=Experiment)",
        RACE_TESTS + "test_remove_does_not_deadlock_with_a_running_retry[100-postgresql]",
    ),
    guard(
        "locks: a delete locks the retries before the counter",
        EXPERIMENTS,
        "either = Experiment.id.in_(ids) | Experiment.retry_of.in_(ids)",
        "either = Experiment.id.in_(ids)",
        RACE_TESTS + "test_remove_does_not_deadlock_with_a_running_retry[100-postgresql]",
    ),
]
