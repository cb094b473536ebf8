"""The table of guards: what protects experiments, how each guard would be dropped, and the tests that must notice."""

from tests.mutants.gate import Edit, Guard

LIFECYCLE = "service/storage/queue/transitions.py"
LOSSES = "service/storage/queue/lost_workers.py"
LEASES = "service/storage/queue/leases.py"
QUEUE = "service/storage/queue/order.py"
EXPERIMENTS = "service/storage/records/experiments.py"
REAPER = "service/background/reaper.py"
DEPENDENCIES = "service/api/http/dependencies.py"
RUN = "worker/attempt.py"

STORAGE = "tests/storage/queue/test_transitions.py::"
CLAIMS = "tests/storage/queue/test_claim.py::"
LOSING = "tests/storage/queue/test_lost_workers.py::"
CANCEL = "tests/storage/queue/test_cancel.py::"
MACHINE = "tests/storage/queue/test_machine.py::test_life_cycle_matches_the_model"
RACES = "tests/storage/queue/test_races.py::"
REAPING = "tests/background/test_reaper.py::"
RUNNING = "tests/worker/test_attempt.py::"


def guard(name: str, file: str, old: str, new: str, *tests: str) -> Guard:
    return Guard(name, (Edit(file, old, new),), tests)


GUARDS = [
    # --- the fence ---
    guard(
        "fence: the attempt",
        LEASES,
        "Experiment.id == self.id, Experiment.attempt == self.attempt, Experiment.status",
        "Experiment.id == self.id, Experiment.status",
        STORAGE + "test_write_after_a_lost_lease_raises_fence_lost",
    ),
    guard(
        "fence: the status",
        LEASES,
        "Experiment.attempt == self.attempt, Experiment.status == Status.RUNNING)",
        "Experiment.attempt == self.attempt)",
        MACHINE + "[sqlite]",
    ),
    guard(
        "fence: of a renewal",
        LIFECYCLE,
        "update(Experiment).where(fence.holds).values(lease_until=after(lease_seconds))",
        "update(Experiment).where(Experiment.id == fence.id).values(lease_until=after(lease_seconds))",
        STORAGE + "test_write_after_a_lost_lease_raises_fence_lost",
    ),
    guard(
        "fence: metrics of a newer attempt stay",
        "service/storage/records/epochs.py",
        ", where=Epoch.attempt <= attempt",
        "",
        STORAGE + "test_older_attempt_does_not_overwrite_epochs",
    ),
    guard(
        "fence: diagnostics of a newer attempt stay",
        "service/storage/records/diagnostics.py",
        ", where=Layer.attempt <= attempt",
        "",
        "tests/storage/records/test_diagnostics.py::test_older_attempt_does_not_overwrite_layers",
    ),
    guard(
        "fence: a lost one stops the step",
        RUN,
        "if self.lease.lost:",
        "if False:",
        RUNNING + "test_run_stops_at_the_step_that_sees_a_flag",
    ),
    # --- claim ---
    guard(
        "claim: only what is queued",
        QUEUE,
        "        Experiment.status == Status.QUEUED,\n        ~Experiment.cancel_requested,",
        "        ~Experiment.cancel_requested,",
        CLAIMS + "test_claim_orders_by_priority_then_age",
    ),
    guard(
        "claim: not what is asked to be cancelled",
        QUEUE,
        "        ~Experiment.cancel_requested,\n",
        "",
        CLAIMS + "test_claim_skips_experiments_with_a_cancel_request",
    ),
    guard(
        "claim: what the owner holds comes first",
        LIFECYCLE,
        "    if owned:\n        return _claim_again(session, owned[:limit])\n",
        "",
        CLAIMS + "test_claim_returns_running_experiments_of_the_same_owner",
    ),
    guard(
        "claim: what is held starts from its checkpoint",
        LIFECYCLE,
        "return _claim_again(session, owned[:limit])",
        "return [Claim.of(row) for row in owned[:limit]]",
        CLAIMS + "test_claim_of_a_running_experiment_starts_from_its_checkpoint",
    ),
    guard(
        "claim: epochs past the checkpoint are forgotten",
        LIFECYCLE,
        "    epochs.forget_undone(session, [row.id for row in rows])\n",
        "",
        CLAIMS + "test_claim_deletes_epochs_past_the_checkpoint",
    ),
    guard(
        "claim: diagnostics past the checkpoint are forgotten",
        "service/storage/records/epochs.py",
        "    diagnostics.forget_undone(session, experiments)\n",
        "",
        "tests/storage/records/test_diagnostics.py::test_claim_deletes_layers_past_the_checkpoint_and_keeps_epoch_0",
    ),
    guard(
        "claim: each is a new attempt",
        LIFECYCLE,
        "attempt=Experiment.attempt + 1,",
        "attempt=func.max(Experiment.attempt, 1),",
        MACHINE + "[sqlite]",
    ),
    guard(
        "claim: SKIP LOCKED",
        QUEUE,
        "skip_locked=True, ",
        "",
        RACES + "test_claim_does_not_wait_for_another_claim",
    ),
    guard(
        "claim: SQLite's BEGIN IMMEDIATE",
        "service/storage/engine/database.py",
        '.get("begin", "BEGIN IMMEDIATE")',
        '.get("begin", "BEGIN")',
        RACES + "test_concurrent_claims_never_share_an_experiment[sqlite-100]",
    ),
    # --- cancel ---
    guard(
        "cancel: no write of the worker after it",
        LIFECYCLE,
        "update(Experiment).where(fence.holds, ~Experiment.cancel_requested).values(**values)",
        "update(Experiment).where(fence.holds).values(**values)",
        RACES + "test_cancel_during_a_claim_is_obeyed[sqlite-100]",
        CANCEL + "test_write_after_a_cancel_raises_cancel_requested",
    ),
    guard(
        "cancel: not of what has ended",
        LIFECYCLE,
        ".where(which, Experiment.status.in_((Status.QUEUED, Status.RUNNING)), ~Experiment.cancel_requested)",
        ".where(which, ~Experiment.cancel_requested)",
        MACHINE + "[sqlite]",
    ),
    guard(
        "cancel: wins over a loss",
        LOSSES,
        "        (Experiment.cancel_requested, Status.CANCELLED),\n",
        "",
        CANCEL + "test_loss_after_a_cancel_ends_as_cancelled",
    ),
    guard(
        "cancel: stops the step",
        RUN,
        "if self.lease.cancel_requested:",
        "if False:",
        RUNNING + "test_run_stops_at_the_step_that_sees_a_flag",
    ),
    # --- loss ---
    guard(
        "reaper: watches a whole lease",
        REAPER,
        "return lease.expired and self._watched_for(lease) >= self._settings.lease_seconds",
        "return lease.expired",
        REAPING + "test_look_requeues_a_lease_watched_while_expired",
    ),
    guard(
        "reaper: a changed lease is watched anew",
        REAPER,
        "(watch.attempt, watch.until) == (lease.fence.attempt, lease.until)",
        "watch.attempt == lease.fence.attempt",
        REAPING + "test_lease_that_expires_again_is_watched_for_a_whole_lease",
    ),
    guard(
        "reaper: an outage is a gap in the watch",
        REAPER,
        "            self._watched.clear()  # the watch has a gap, so it begins again\n",
        "",
        REAPING + "test_database_outage_restarts_the_watch",
    ),
    guard(
        "reaper: a database that takes no writes is a gap in the watch",
        REAPER,
        "if silent and not self._could_renew(silent):",
        "if False:",
        REAPING + "test_database_that_takes_no_writes_restarts_the_watch",
    ),
    guard(
        "reaper: an unseen loss is nobody's fault",
        REAPER,
        "counted=self._watched[lease.fence.id].alive",
        "counted=True",
        REAPING + "test_look_counts_no_loss_of_a_lease_that_expired_unseen",
    ),
    guard(
        "loss: the lease is the one that was watched",
        LOSSES,
        "Experiment.lease_until == watched_until, ",
        "",
        LOSING + "test_requeue_expired_skips_a_lease_renewed_since_it_was_watched",
    ),
    guard(
        "loss: the lease has expired by the database's clock",
        LOSSES,
        ", over(lease_seconds))",
        ")",
        LOSING + "test_requeue_expired_skips_an_unexpired_lease",
    ),
    guard(
        "loss: a lease that no clock can have given is over",
        LEASES,
        ", Experiment.lease_until > after(lease_seconds + MARGIN_SECONDS))",
        ")",
        REAPING + "test_look_requeues_a_lease_from_before_the_clock_was_set_back",
    ),
    guard(
        "loss: only progress forgives",
        LIFECYCLE,
        "case((advanced, 0), else_=Experiment.lost_count)",
        "0",
        LOSING + "test_record_checkpoint_resets_losses_on_progress",
    ),
    guard(
        "loss: starting over is no progress",
        LIFECYCLE,
        "func.coalesce(Experiment.furthest_step, -1)",
        "func.coalesce(Experiment.checkpoint_step, -1)",
        LOSING + "test_start_over_is_no_progress",
    ),
    Guard(
        "loss: at the most, it fails",
        (
            Edit(LOSSES, "        (losses >= lost_worker.max_losses, Status.FAILED),\n", ""),
            Edit(
                LOSSES,
                "or_(Experiment.cancel_requested, losses >= lost_worker.max_losses)",
                "Experiment.cancel_requested",
            ),
            Edit(LOSSES, "        (losses >= lost_worker.max_losses, Cause.WORKER_LOST),\n", ""),
        ),
        (LOSING + "test_loss_requeues_until_the_third_fails",),
    ),
    # --- the end ---
    guard(
        "end: a success written twice",
        LIFECYCLE,
        "if _already(session, fence, Status.SUCCEEDED):",
        "if False:",
        STORAGE + "test_repeated_end_changes_nothing",
    ),
    guard(
        "end: every attempt is closed",
        LIFECYCLE,
        "    attempts.close_attempt(session, fence.id, fence.attempt, Outcome.RELEASED)\n",
        "",
        MACHINE + "[sqlite]",
    ),
    # --- resuming ---
    guard(
        "checkpoint: SHA-256",
        "worker/checkpoints.py",
        "if _sha256(file) != checkpoint.sha256:",
        "if False:",
        "tests/worker/test_checkpoints.py::test_read_rejects_a_file_that_is_not_the_recorded_one",
    ),
    # --- what clients are told ---
    guard(
        "answer: the key commits with what it stands for",
        "service/api/http/idempotency.py",
        "        earlier = None if self._request is None else idempotency.reserve(session, ",
        "        with Session(session.get_bind(), expire_on_commit=False) as other, other.begin():\n"
        "            earlier = None if self._request is None else idempotency.reserve(other, ",
        "tests/api/http/test_idempotency.py::test_a_request_whose_commit_failed_leaves_its_key_free[postgresql]",
    ),
    Guard(
        "answer: the commit comes before it",
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
            "tests/api/http/test_transactions.py::test_a_failing_commit_is_an_error_and_changes_nothing[sqlite-submit_experiment]",
        ),
    ),
    guard(
        "revision: a checkpoint that forgives losses shows",
        LIFECYCLE,
        '    record_transition(session, [(fence.id, fence.attempt)], "checkpoint")\n',
        "",
        LOSING + "test_record_checkpoint_resets_losses_on_progress",
    ),
    guard(
        "locks: a retry's writer shares the key of what it repeats",
        EXPERIMENTS,
        "with_for_update(of=Experiment, key_share=True)",
        "with_for_update(of=Experiment)",
        RACES + "test_remove_does_not_deadlock_with_a_running_retry[100-postgresql]",
    ),
    guard(
        "locks: retries before the counter",
        EXPERIMENTS,
        ".order_by(Experiment.id).with_for_update(key_share=True)",
        "",
        RACES + "test_remove_does_not_deadlock_with_a_running_retry[100-postgresql]",
    ),
]
