//! Where a thread was, in the VM's own functions: what a debugger's text says, without what every stack has.

use super::noise::{Class, class, without_suffix};
use super::stack;

/// The innermost functions of the VM in a debugger's text, up to the Python code that called them, which is
/// the operation in flight: of the thread that died, which it prints first, or of every thread. Nothing
/// where they are the allocator's: damage to the heap shows anywhere.
pub fn innermost(text: &str, died: bool) -> Vec<Vec<String>> {
    let most = if died { 1 } else { usize::MAX };
    let near = stacks(text).into_iter().take(most).map(|s| telling(&s).0);
    near.filter(|s| !s.is_empty()).collect()
}

/// As [`innermost`], of the thread that died, and whether it died in the allocator.
pub fn of_death(text: &str) -> (Vec<String>, bool) {
    let first = stacks(text).into_iter().next();
    first.map_or_else(Default::default, |stack| telling(&stack))
}

/// The stacks of a debugger's text, each from its innermost frame on that was no signal's handler.
fn stacks(text: &str) -> Vec<String> {
    let mut stacks: Vec<String> = Vec::new();
    let mut headed = true;
    for line in text.lines() {
        headed |= line.starts_with("Thread ");
        if !line.starts_with('#') {
            continue;
        }
        if line.starts_with("#0 ") {
            // As it loads a core, gdb prints the frame with which the stack then begins again.
            if !headed && stacks.last().is_some_and(|s| s.lines().count() == 1) {
                stacks.pop();
            }
            stacks.push(String::new());
            headed = false;
        }
        if let Some(last) = stacks.last_mut() {
            // A handler may crash anew: what it was called for lies further out.
            if line.contains("<signal handler called>") {
                last.clear();
            }
            last.push_str(line);
            last.push('\n');
        }
    }
    stacks
}

/// The telling functions of one stack, and whether it ends in the allocator, which leaves none.
fn telling(stack: &str) -> (Vec<String>, bool) {
    let frames = stack::frames(stack);
    let mut telling: Vec<String> = Vec::new();
    for name in frames.iter().map(|f| without_suffix(f)) {
        match class(name) {
            _ if is_loop(name) && !telling.is_empty() => break,
            Some(Class::Allocator) if telling.is_empty() => return (Vec::new(), true),
            None if !is_loop(name) => telling.push(name.to_owned()),
            _ => {}
        }
    }
    telling.dedup();
    (telling, false)
}

/// Whether a function runs Python code: what lies further out is another operation's.
fn is_loop(function: &str) -> bool {
    ["_PyEval_EvalFrameDefault", "mp_execute_bytecode"].contains(&function)
        || function.contains("frame::ExecutingFrame")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_frames_are_those_of_the_thread_that_died() {
        let text = "Program terminated with signal SIGSEGV\n#0  0x01 in raise () at r.c:1\n#1  <signal handler called>\n\
                    #2  0x02 in _Py_atomic_load_ptr () at x.h:1\n#3  list_resize.lto_priv.0 (self=1) at l.c:1\n\
                    #4  _PyEval_EvalFrameDefault () at c.c:1\nThread 2 (LWP 2):\n#0  dict_dealloc () at d.c:2\n";
        assert_eq!(innermost(text, true), [["list_resize"]]);
        assert_eq!(innermost(text, false), [["list_resize"], ["dict_dealloc"]]);
        let core = "Program terminated with signal SIGSEGV\n#0  list_resize (self=1) at l.c:1\n[Current thread is 1]\n\
                    #0  list_resize (self=1) at l.c:1\n#1  list_append () at l.c:2\n\nThread 1 (LWP 1):\n#0  list_resize () at l.c:1\n";
        assert_eq!(innermost(core, true), [["list_resize", "list_append"]]);
        let generator = "#0  _PyEval_EvalFrameDefault () at c.c:1\n#1  gen_send_ex2 () at g.c:1\n\
                         #2  _PyEval_EvalFrameDefault () at c.c:1\n#3  list_append () at l.c:1\n";
        assert_eq!(
            innermost(generator, true),
            [["gen_send_ex2"]],
            "beyond the loop is another operation"
        );
        let heap = "#0  mi_free () at a.c:1\n#1  list_resize () at l.c:1\n";
        assert!(
            innermost(heap, true).is_empty(),
            "damage to the heap shows anywhere"
        );
        assert_eq!(of_death(heap), (Vec::new(), true));
        assert_eq!(of_death(text), (vec!["list_resize".to_owned()], false));
        assert_eq!(of_death(""), (Vec::new(), false));
    }
}
