//! Random histories of offline grants against a reference model: refreshes, retries, lost answers, logouts, revocations, disabled
//! users, scopes taken away, time, sweeps and restarts. After each step the server has to answer what the model says, to the
//! letter; a history that fails is made shorter before it is shown.
//!
//! 100 000 steps in `./dev test`, a million in `./dev soak`.

mod model;
mod subject;

use std::cell::RefCell;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use self::model::{Mode, step};
use self::subject::Subject;
use crate::support::{measured, rounds};

/// Histories of 80 steps, so many steps together.
fn histories(mode: Mode, steps: usize) {
    let cases = u32::try_from(steps / 80).unwrap();
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let subject = RefCell::new(runtime.block_on(Subject::start(mode)));
    let strategy = proptest::collection::vec(step(), 80);
    let outcome = runner.run(&strategy, |steps| runtime.block_on(subject.borrow_mut().follow(mode, &steps)));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, steps)) => panic!("{mode:?}: {reason}\nafter {steps:?}"),
        Err(error) => panic!("{mode:?}: {error}"),
    }
    measured(format_args!("{mode:?}: {cases} histories of 80 steps"));
    runtime.block_on(subject.into_inner().server.store.close());
}

#[test]
fn histories_without_rotation() {
    histories(Mode::Off, rounds(16_000, 160_000));
}

#[test]
fn histories_with_strict_rotation() {
    histories(Mode::Strict { max_reuse: 0 }, rounds(20_000, 200_000));
}

#[test]
fn histories_with_strict_rotation_and_reuse() {
    histories(Mode::Strict { max_reuse: 2 }, rounds(16_000, 160_000));
}

#[test]
fn histories_with_graceful_rotation_of_a_client_that_proves_itself() {
    histories(Mode::Graceful { bound: true }, rounds(24_000, 240_000));
}

#[test]
fn histories_with_graceful_rotation_of_a_public_client() {
    histories(Mode::Graceful { bound: false }, rounds(24_000, 240_000));
}
