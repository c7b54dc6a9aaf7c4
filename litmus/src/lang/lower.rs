//! From the tree to flat code.

use super::ast::{BinOp, Expected, Expr, Order, Place, Stmt, StmtKind, Test, UnOp};
use super::code::{Code, Index, Instr, Operand, Slot, ThreadCode};
use super::error::Pos;

/// Numbers locations and registers and flattens statements and expressions.
/// Never fails: a name that nothing declares is a location or register that
/// starts at 0 (the parser refuses such tests).
pub(super) fn lower(test: &Test) -> Code {
    let mut locations: Vec<String> = Vec::new();
    let mut initial = Vec::new();
    for init in &test.init {
        if let Place::Location(name) = &init.place {
            locations.push(name.clone());
            initial.push(init.value);
        }
    }
    let mut threads: Vec<ThreadCode> = Vec::new();
    for (number, thread) in test.threads.iter().enumerate() {
        for param in &thread.params {
            number_of(&mut locations, &param.name);
        }
        let mut lowering = Lowering {
            locations: &mut locations,
            names: Vec::new(),
            temporaries: 0,
            code: Vec::new(),
            at: Vec::new(),
            here: Pos::default(),
        };
        lowering.collect(&thread.body);
        let mut values: Vec<(Index, i64)> = Vec::new();
        for init in &test.init {
            if let Place::Register(owner, name) = &init.place
                && *owner == number
            {
                values.push((number_of(&mut lowering.names, name), init.value));
            }
        }
        lowering.statements(&thread.body);
        let mut registers = vec![0; lowering.names.len() + lowering.temporaries];
        values
            .into_iter()
            .for_each(|(register, value)| registers[register] = value);
        threads.push(ThreadCode {
            code: lowering.code,
            at: lowering.at,
            names: lowering.names,
            registers,
        });
    }
    let mut observed: Vec<Place> = test.locations.clone();
    let props = std::iter::once(&test.condition.prop).chain(&test.filter);
    observed.extend(props.flat_map(|prop| prop.places()).cloned());
    // herd prints registers first, by thread, then locations.
    observed.sort_by_key(|place| (matches!(place, Place::Location(_)), place.clone()));
    observed.dedup();
    let slots = observed
        .iter()
        .map(|place| match place {
            Place::Location(name) => Slot::Location(number_of(&mut locations, name)),
            Place::Register(thread, name) => {
                Slot::Register(*thread, number_of(&mut threads[*thread].names, name))
            }
        })
        .collect();
    initial.resize(locations.len(), 0);
    for thread in &mut threads {
        let length = thread.registers.len().max(thread.names.len());
        thread.registers.resize(length, 0);
    }
    Code {
        name: test.name.clone(),
        locations,
        initial,
        threads,
        observed,
        slots,
        filter: test.filter.clone(),
        condition: test.condition.clone(),
    }
}

fn number_of(names: &mut Vec<String>, name: &str) -> Index {
    names
        .iter()
        .position(|known| known == name)
        .unwrap_or_else(|| {
            names.push(name.to_string());
            names.len() - 1
        })
}

struct Lowering<'a> {
    locations: &'a mut Vec<String>,
    /// Named registers, all known before the first temporary is numbered.
    names: Vec<String>,
    temporaries: usize,
    code: Vec<Instr>,
    at: Vec<Pos>,
    here: Pos,
}

impl Lowering<'_> {
    /// Numbers every register that `body` names.
    fn collect(&mut self, body: &[Stmt]) {
        for stmt in body {
            match &stmt.kind {
                StmtKind::Declare(name, value) => {
                    value.iter().for_each(|expr| self.collect_expr(expr));
                    number_of(&mut self.names, name);
                }
                StmtKind::Assign(name, expr) => {
                    self.collect_expr(expr);
                    number_of(&mut self.names, name);
                }
                StmtKind::Store(_, expr, _) | StmtKind::Effect(expr) => self.collect_expr(expr),
                StmtKind::Fence(_) => {}
                StmtKind::If(test, then, other) => {
                    self.collect_expr(test);
                    self.collect(then);
                    self.collect(other);
                }
            }
        }
    }

    fn collect_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Const(_) | Expr::Load(..) => {}
            Expr::Reg(name) => _ = number_of(&mut self.names, name),
            Expr::Unary(_, inner) | Expr::Rmw(_, _, inner, _) => self.collect_expr(inner),
            Expr::Binary(_, a, b) => {
                self.collect_expr(a);
                self.collect_expr(b);
            }
            Expr::Cas(cas) => {
                if let Expected::Reg(name) = &cas.expected {
                    number_of(&mut self.names, name);
                }
                self.collect_expr(&cas.desired);
            }
        }
    }

    fn emit(&mut self, instr: Instr) {
        self.code.push(instr);
        self.at.push(self.here);
    }

    fn temporary(&mut self) -> Index {
        self.temporaries += 1;
        self.names.len() + self.temporaries - 1
    }

    fn register(&mut self, name: &str) -> Index {
        number_of(&mut self.names, name)
    }

    fn location(&mut self, name: &str) -> Index {
        number_of(self.locations, name)
    }

    fn statements(&mut self, body: &[Stmt]) {
        for stmt in body {
            self.here = stmt.at;
            match &stmt.kind {
                StmtKind::Declare(_, None) => {}
                StmtKind::Declare(name, Some(expr)) | StmtKind::Assign(name, expr) => {
                    let dst = self.register(name);
                    self.evaluate(expr, dst);
                }
                StmtKind::Store(location, expr, order) => {
                    let value = self.operand(expr);
                    let location = self.location(location);
                    self.emit(Instr::Store {
                        location,
                        value,
                        order: *order,
                    });
                }
                // A relaxed fence orders nothing.
                StmtKind::Fence(Order::Relaxed | Order::Plain) => {}
                StmtKind::Fence(order) => self.emit(Instr::Fence(*order)),
                StmtKind::Effect(expr) => _ = self.operand(expr),
                StmtKind::If(test, then, other) => {
                    let test = self.operand(test);
                    let branch = self.code.len();
                    self.emit(Instr::Unless(test, 0));
                    self.statements(then);
                    if !other.is_empty() {
                        let jump = self.code.len();
                        self.emit(Instr::Jump(0));
                        self.code[branch] = Instr::Unless(test, self.code.len());
                        self.statements(other);
                        self.code[jump] = Instr::Jump(self.code.len());
                    } else {
                        self.code[branch] = Instr::Unless(test, self.code.len());
                    }
                }
            }
        }
    }

    fn operand(&mut self, expr: &Expr) -> Operand {
        match expr {
            Expr::Const(value) => Operand::Const(*value),
            Expr::Reg(name) => Operand::Reg(self.register(name)),
            _ => {
                let dst = self.temporary();
                self.evaluate(expr, dst);
                Operand::Reg(dst)
            }
        }
    }

    fn compute(&mut self, dst: Index, op: BinOp, a: Operand, b: Operand) {
        self.emit(Instr::Compute { dst, op, a, b });
    }

    fn evaluate(&mut self, expr: &Expr, dst: Index) {
        match expr {
            Expr::Const(_) | Expr::Reg(_) => {
                let value = self.operand(expr);
                self.compute(dst, BinOp::Add, value, Operand::Const(0));
            }
            Expr::Unary(UnOp::Neg, inner) => {
                let value = self.operand(inner);
                self.compute(dst, BinOp::Sub, Operand::Const(0), value);
            }
            Expr::Unary(UnOp::Not, inner) => {
                let value = self.operand(inner);
                self.compute(dst, BinOp::Eq, value, Operand::Const(0));
            }
            Expr::Binary(op @ (BinOp::And | BinOp::Or), a, b) if touches_memory(b) => {
                let result = self.temporary();
                let left = self.operand(a);
                self.compute(result, BinOp::Ne, left, Operand::Const(0));
                // `&&` goes on when the left is not 0, `||` when it is.
                let go_on = self.temporary();
                let when = if *op == BinOp::And {
                    BinOp::Ne
                } else {
                    BinOp::Eq
                };
                self.compute(go_on, when, Operand::Reg(result), Operand::Const(0));
                let branch = self.code.len();
                self.emit(Instr::Unless(Operand::Reg(go_on), 0));
                let right = self.operand(b);
                self.compute(result, BinOp::Ne, right, Operand::Const(0));
                self.code[branch] = Instr::Unless(Operand::Reg(go_on), self.code.len());
                self.compute(dst, BinOp::Add, Operand::Reg(result), Operand::Const(0));
            }
            Expr::Binary(op, a, b) => {
                let mut left = self.operand(a);
                // A compare-exchange on the right may change a register that the left has read.
                if matches!(left, Operand::Reg(register) if register < self.names.len())
                    && touches_memory(b)
                {
                    let copy = self.temporary();
                    self.compute(copy, BinOp::Add, left, Operand::Const(0));
                    left = Operand::Reg(copy);
                }
                let right = self.operand(b);
                self.compute(dst, *op, left, right);
            }
            Expr::Load(location, order) => {
                let location = self.location(location);
                self.emit(Instr::Load {
                    dst,
                    location,
                    order: *order,
                });
            }
            Expr::Rmw(op, location, operand, order) => {
                let operand = self.operand(operand);
                let location = self.location(location);
                self.emit(Instr::Rmw {
                    dst,
                    location,
                    op: *op,
                    operand,
                    order: *order,
                });
            }
            Expr::Cas(cas) => {
                let desired = self.operand(&cas.desired);
                let location = self.location(&cas.location);
                let done = self.temporary();
                let (expected, stored) = match &cas.expected {
                    Expected::Reg(name) => (self.register(name), None),
                    Expected::Location(name) => {
                        let (expected, stored) = (self.temporary(), self.location(name));
                        self.emit(Instr::Load {
                            dst: expected,
                            location: stored,
                            order: Order::Plain,
                        });
                        (expected, Some(stored))
                    }
                };
                self.emit(Instr::Cas {
                    done,
                    location,
                    expected,
                    desired,
                    success: cas.success,
                    failure: cas.failure,
                    weak: cas.weak,
                });
                if let Some(location) = stored {
                    let failed = self.temporary();
                    self.compute(failed, BinOp::Eq, Operand::Reg(done), Operand::Const(0));
                    let branch = self.code.len();
                    self.emit(Instr::Unless(Operand::Reg(failed), 0));
                    self.emit(Instr::Store {
                        location,
                        value: Operand::Reg(expected),
                        order: Order::Plain,
                    });
                    self.code[branch] = Instr::Unless(Operand::Reg(failed), self.code.len());
                }
                self.compute(dst, BinOp::Add, Operand::Reg(done), Operand::Const(0));
            }
        }
    }
}

fn touches_memory(expr: &Expr) -> bool {
    match expr {
        Expr::Const(_) | Expr::Reg(_) => false,
        Expr::Load(..) | Expr::Rmw(..) | Expr::Cas(_) => true,
        Expr::Unary(_, inner) => touches_memory(inner),
        Expr::Binary(_, a, b) => touches_memory(a) || touches_memory(b),
    }
}
