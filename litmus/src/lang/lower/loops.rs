//! Loops: those that only wait become awaits, the others get so many turns.
//!
//! A turn of a waiting loop reads and computes and does nothing else, and nothing of it is left
//! when the next begins. Then only the last turn matters: an execution without the earlier ones
//! is consistent too, has the same final state, and no race less, for a read that nothing
//! depends on takes no behaviour away when it is left out. So the thread reads once, and waits
//! where the values would have it read again: exact, without a bound.

use std::collections::{HashMap, HashSet};

use super::Lowering;
use crate::lang::ast::{Expr, IntType, Order, Stmt, StmtKind};
use crate::lang::code::{Index, Instr, Operand};

/// The labels of a thread.
#[derive(Default)]
pub(super) struct Jumps {
    labels: HashMap<String, Index>,
    /// Jumps to labels that are still to come.
    open: Vec<(Index, String)>,
}

impl Lowering<'_> {
    pub(super) fn repeat(&mut self, test: &Expr, body: &[Stmt]) {
        if is_reads(test) && body.iter().all(is_nothing) {
            let waiting = self.waits;
            self.waits = true;
            let begin = self.code.len();
            self.emit(Instr::Await);
            let again = self.operand(test);
            self.only_if(again, |this| this.emit(Instr::Again(begin)));
            self.waits = waiting;
        } else if !test.touches_memory() && is_rereading(body) {
            let enter = self.operand(test);
            self.only_if(enter, |this| this.reread(body, test));
        } else {
            let counter = self.counter();
            let begin = self.code.len();
            let test = self.operand(test);
            self.only_if(test, |this| {
                this.emit(Instr::Turn(counter));
                this.statements(body);
                this.emit(Instr::Jump(begin));
            });
        }
    }

    pub(super) fn do_repeat(&mut self, body: &[Stmt], test: &Expr) {
        if !test.touches_memory() && is_rereading(body)
            || is_reads(test) && body.iter().all(is_nothing)
        {
            return self.reread(body, test);
        }
        let counter = self.counter();
        let begin = self.code.len();
        self.emit(Instr::Turn(counter));
        self.statements(body);
        let again = self.operand(test);
        self.only_if(again, |this| this.emit(Instr::Jump(begin)));
    }

    /// A turn of a waiting loop, and the wait.
    fn reread(&mut self, body: &[Stmt], test: &Expr) {
        let waiting = self.waits;
        self.waits = true;
        let begin = self.code.len();
        self.emit(Instr::Await);
        self.statements(body);
        let again = self.operand(test);
        self.only_if(again, |this| this.emit(Instr::Again(begin)));
        self.waits = waiting;
    }

    /// A register that counts turns, at 0.
    fn counter(&mut self) -> Index {
        let dst = self.temporary();
        let (from, ty) = (Operand::Const(0), IntType::LONG);
        self.emit(Instr::Convert { dst, from, ty });
        dst
    }

    pub(super) fn label(&mut self, name: &str) {
        let here = self.code.len();
        let mut open = std::mem::take(&mut self.jumps.open);
        open.retain(|(jump, to)| {
            if to == name {
                self.code[*jump] = Instr::Jump(here);
            }
            to != name
        });
        self.jumps.open = open;
        self.jumps.labels.insert(name.into(), here);
    }

    /// A jump back is a turn of a loop; it is counted over the whole run of the thread, for
    /// nothing says where that loop begins.
    pub(super) fn goto(&mut self, name: &str) {
        let to = self.jumps.labels.get(name).copied();
        if to.is_some() {
            let counter = self.temporary();
            self.emit(Instr::Turn(counter));
        } else {
            self.jumps.open.push((self.code.len(), name.into()));
        }
        // To nowhere, if there is no such label: the end. The parser refuses that.
        self.emit(Instr::Jump(to.unwrap_or(Index::MAX)));
    }
}

/// A statement that does nothing.
fn is_nothing(stmt: &Stmt) -> bool {
    matches!(
        stmt.kind,
        StmtKind::Fence(Order::Relaxed) | StmtKind::Declare(_, _, None)
    )
}

/// Whether the expression reads atomic locations and does nothing else to memory.
fn is_reads(expr: &Expr) -> bool {
    let (mut reads, mut only) = (false, true);
    expr.walk(&mut |part| match part {
        Expr::Load(_, Order::Plain) => only = false,
        Expr::Load(..) => reads = true,
        Expr::Rmw(..) | Expr::Cas(_) | Expr::CmpXchg(_) | Expr::AddUnless(_) => only = false,
        _ => {}
    });
    reads && only
}

/// Whether the body gives registers new values that come of reads, one after the other, and
/// nothing that an earlier turn has left.
fn is_rereading(body: &[Stmt]) -> bool {
    let mut changed = HashSet::new();
    for stmt in body {
        if let StmtKind::Assign(name, _) | StmtKind::Declare(_, name, Some(_)) = &stmt.kind {
            changed.insert(name.as_str());
        }
    }
    let mut reads = false;
    for stmt in body {
        let (name, value) = match &stmt.kind {
            _ if is_nothing(stmt) => continue,
            StmtKind::Assign(name, value) | StmtKind::Declare(_, name, Some(value)) => {
                (Some(name), value)
            }
            StmtKind::Effect(value) => (None, value),
            _ => return false,
        };
        let mut left_over = false;
        value.walk(&mut |part| {
            left_over |= part.register().is_some_and(|name| changed.contains(name));
        });
        if left_over || value.touches_memory() && !is_reads(value) {
            return false;
        }
        reads |= value.touches_memory();
        name.into_iter()
            .for_each(|name| _ = changed.remove(name.as_str()));
    }
    reads
}
