//! Explorations of closures, and those that must find nothing.
#![allow(
    dead_code,
    reason = "not every test program needs those that find nothing"
)]

use threadbare_litmus::Explorer;
use threadbare_litmus::explore::Report;

pub fn check(program: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new().check(program)
}

pub fn passes(program: impl Fn() + Send + Sync + 'static) -> Report {
    let report = check(program);
    assert!(
        report.failure.is_none(),
        "{}",
        report.failure.unwrap().message
    );
    assert!(report.exhaustive && report.complete > 0);
    report
}
