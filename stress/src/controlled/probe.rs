//! A probe under control: its loops a few turns long, its threads in one window.

use super::{ControlError, Look, Plan, Searched, in_arguments, obeys, search};
use crate::probe::{KIT, Probe, run::unfit};
use crate::vm::Vm;

/// What a probe's kit does otherwise under control: time is virtual and a schedule is short, so that a loop ends after
/// so many turns of each thread, and a process without the interpreter's own end, which is long and the same each time.
const OTHERWISE: &str = "
import kit as control
_turns = {}


def going():
    me = _thread.get_ident()
    _turns[me] = turn = _turns.get(me, 0) + 1
    return turn <= 2 and not problems


def threads(*bodies):
    def caught(body):
        def one():
            try:
                body()
            except Exception as error:
                problem(\"a thread got %s: %s\" % (type(error).__name__, error))

        return one

    control.window(*[caught(body) for body in bodies])


def settle(done):
    for _ in range(4):
        if done():
            return True
        gc.collect()
    return done()


def finish(count, what):
    for text in problems[:5]:
        print(\"hit: \" + text)
    print(\"checked: %d %s (seed %d)\" % (count, what, SEED))
    sys.stdout.flush()
    control.ask(control.LEAVE, 1 if problems else 0)
";

/// Searches for a schedule of a probe that is a hit of it, as without control.
///
/// # Errors
/// As of [`search`], and where this VM cannot run the probe.
pub fn find(vm: &Vm, probe: &Probe, plan: &Plan) -> Result<Searched, ControlError> {
    if let Some(why) = unfit(probe, vm) {
        return Err(ControlError::Unfit(why));
    }
    obeys(vm)?;
    let kit = format!("{KIT}{OTHERWISE}");
    let text = probe.program.replacen(KIT, &kit, 1);
    // As by itself: seconds, seed.
    let text = format!(
        "import sys\nsys.argv = ['probe.py', '3', '{}']\n{text}",
        plan.seed
    );
    let program = in_arguments(vm, text)?;
    // A fault of the program itself says nothing of the VM.
    search(vm, &|_| Ok(program.clone()), plan, Look::Failures, |seen| {
        let failure = seen.run.ended.failure();
        failure.is_some_and(|seen| probe.is_hit(seen))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe;

    #[test]
    fn every_probe_takes_the_other_kit() {
        for probe in probe::shipped() {
            let kit = format!("{KIT}{OTHERWISE}");
            let text = probe.program.replacen(KIT, &kit, 1);
            assert!(text.contains("control.window"), "{}", probe.name);
            assert!(text.len() < super::super::ARGUMENT, "{}", probe.name);
        }
    }
}
