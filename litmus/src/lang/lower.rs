//! From the tree to flat code.

mod expression;

use super::ast::{Expected, Expr, Order, Place, Stmt, StmtKind, Test};
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

/// One thread, as far as it is flat.
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
                    let mut jump = None;
                    self.only_if(test, |this| {
                        this.statements(then);
                        if !other.is_empty() {
                            jump = Some(this.code.len());
                            this.emit(Instr::Jump(0));
                        }
                    });
                    self.statements(other);
                    if let Some(jump) = jump {
                        self.code[jump] = Instr::Jump(self.code.len());
                    }
                }
            }
        }
    }

    /// What is run only if the operand is not 0.
    fn only_if(&mut self, test: Operand, body: impl FnOnce(&mut Self)) {
        let branch = self.code.len();
        self.emit(Instr::Unless(test, 0));
        body(self);
        self.code[branch] = Instr::Unless(test, self.code.len());
    }
}
