//! From the tree to flat code.

mod expression;
mod loops;

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{
    Env, Expr, InitValue, IntType, Order, Stmt, StmtKind, Test, Type, Value, Variable,
};
use super::code::{Code, Index, Instr, Operand, Slot, Target, ThreadCode};
use super::error::Pos;
use loops::Jumps;

/// Turns of a loop after which a thread gives up, unless it is told otherwise.
pub(super) const TURNS: u32 = 4;

/// The address of the first location. Far from small numbers, so that a number that a test
/// writes is not taken for an address; even the last address has room to be added to.
const FIRST_ADDRESS: i64 = 0x7e00_0000_0000;
/// From one element of an array to the next.
const ELEMENT: i64 = 8;

/// Names and their numbers.
#[derive(Default)]
struct Numbers {
    names: Vec<String>,
    of: HashMap<String, Index>,
}

impl Numbers {
    fn of(&mut self, name: &str) -> Index {
        if let Some(&number) = self.of.get(name) {
            return number;
        }
        self.of.insert(name.to_string(), self.names.len());
        self.names.push(name.to_string());
        self.names.len() - 1
    }
}

/// The locations of a test.
struct Locations {
    numbers: Numbers,
    types: Vec<Type>,
    initial: Vec<Value>,
    addresses: Arc<[i64]>,
}

impl Locations {
    fn of(test: &Test) -> Locations {
        let mut numbers = Numbers::default();
        let (mut types, mut initial) = (Vec::<Option<Type>>::new(), Vec::new());
        // Arrays stay together; between two objects there is a gap, so that no index out of
        // bounds meets another.
        let (mut addresses, mut next) = (Vec::new(), FIRST_ADDRESS);
        for init in &test.init {
            let Variable::Location(name) = &init.place else {
                continue;
            };
            let values = match &init.value {
                InitValue::One(value) => std::slice::from_ref(value),
                InitValue::Array(values) => values,
            };
            for (index, value) in values.iter().enumerate() {
                match init.value {
                    InitValue::One(_) => numbers.of(name),
                    InitValue::Array(_) => numbers.of(&format!("{name}[{index}]")),
                };
                let pointer = matches!(value, Value::Address(_)).then_some(Type::INT.pointer());
                types.push(init.ty.or(pointer));
                initial.push(value.clone());
                addresses.push(next);
                next += ELEMENT;
            }
            next += ELEMENT;
        }
        for param in test.threads.iter().flat_map(|thread| &thread.params) {
            if numbers.of.contains_key(&format!("{}[0]", param.name)) {
                continue;
            }
            let number = numbers.of(&param.name);
            if number == types.len() {
                types.push(None);
                initial.push(Value::Int(0));
                addresses.push(next);
                next += 2 * ELEMENT;
            }
            types[number] = Some(types[number].map_or(param.ty, |ty| ty.joined(param.ty)));
        }
        let types = types
            .into_iter()
            .zip(&initial)
            .map(|(ty, value)| match (ty, value) {
                (Some(ty), Value::Address(_)) if !ty.is_pointer() => ty.pointer(),
                (ty, _) => ty.unwrap_or(Type::INT),
            });
        Locations {
            types: types.collect(),
            numbers,
            initial,
            addresses: addresses.into(),
        }
    }

    /// The number of a location, or of an array's first element.
    fn number(&self, name: &str) -> Option<Index> {
        let of = &self.numbers.of;
        of.get(name)
            .or_else(|| of.get(&format!("{name}[0]")))
            .copied()
    }

    /// A name that nothing declares has the address of nothing.
    fn address(&self, name: &str) -> i64 {
        self.number(name).map_or(0, |number| self.addresses[number])
    }

    fn value(&self, value: &Value) -> i64 {
        match value {
            Value::Int(value) => *value,
            Value::Address(name) => self.address(name),
        }
    }
}

/// Numbers locations and registers and flattens statements and expressions.
/// Never fails: a name that nothing declares is a register that starts at 0 (the parser
/// refuses such tests).
pub(super) fn lower(test: &Test) -> Code {
    let locations = Locations::of(test);
    let mut threads: Vec<ThreadCode> = Vec::new();
    let mut registers: Vec<(Numbers, Env)> = Vec::new();
    for (number, thread) in test.threads.iter().enumerate() {
        let mut lowering = Lowering {
            locations: &locations,
            names: Numbers::default(),
            env: test.env(number),
            temporaries: 0,
            code: Vec::new(),
            at: Vec::new(),
            here: Pos::default(),
            waits: false,
            jumps: Jumps::default(),
        };
        lowering.collect(test, number);
        let values: Vec<(Index, i64)> = test
            .init
            .iter()
            .filter_map(|init| match (&init.place, &init.value) {
                (Variable::Register(owner, name), InitValue::One(value)) if *owner == number => {
                    let ty = lowering.env.register(name).map_or(IntType::LONG, Type::int);
                    let value = ty.wrap(locations.value(value));
                    Some((lowering.names.of(name), value))
                }
                _ => None,
            })
            .collect();
        lowering.statements(&thread.body);
        let mut initial = vec![0; lowering.names.names.len() + lowering.temporaries];
        values
            .into_iter()
            .for_each(|(register, value)| initial[register] = value);
        threads.push(ThreadCode {
            code: lowering.code,
            at: lowering.at,
            names: lowering.names.names.clone(),
            registers: initial,
            addresses: locations.addresses.clone(),
            turns: TURNS,
        });
        registers.push((lowering.names, lowering.env));
    }
    let mut observed: Vec<Variable> = test.locations.clone();
    let props = std::iter::once(&test.condition.prop).chain(&test.filter);
    observed.extend(props.flat_map(|prop| prop.places()).cloned());
    // herd prints registers first, by thread, then locations.
    observed.sort_by_key(|place| (matches!(place, Variable::Location(_)), place.clone()));
    observed.dedup();
    observed.retain(|place| match place {
        Variable::Location(name) => locations.number(name).is_some(),
        Variable::Register(thread, name) => registers
            .get(*thread)
            .is_some_and(|(names, _)| names.of.contains_key(name)),
    });
    let (slots, slot_types) = observed
        .iter()
        .map(|place| match place {
            Variable::Location(name) => {
                let number = locations.number(name).expect("retained");
                (Slot::Location(number), locations.types[number].int())
            }
            Variable::Register(thread, name) => {
                let (names, env) = &registers[*thread];
                let ty = env.register(name).unwrap_or(Type::INT);
                (Slot::Register(*thread, names.of[name]), ty.int())
            }
        })
        .unzip();
    let types: Vec<IntType> = locations.types.iter().map(|ty| ty.int()).collect();
    let initial = locations.initial.iter().zip(&types);
    Code {
        name: test.name.clone(),
        initial: initial
            .map(|(value, ty)| ty.wrap(locations.value(value)))
            .collect(),
        addresses: locations.addresses.clone(),
        types,
        locations: locations.numbers.names,
        threads,
        observed,
        slots,
        slot_types,
        filter: test.filter.clone(),
        condition: test.condition.clone(),
    }
}

/// One thread, as far as it is flat.
struct Lowering<'a> {
    locations: &'a Locations,
    /// Named registers, all known before the first temporary is numbered.
    names: Numbers,
    /// What the statements so far have declared.
    env: Env,
    temporaries: usize,
    code: Vec<Instr>,
    at: Vec<Pos>,
    here: Pos,
    /// Whether loads are those of a waiting loop.
    waits: bool,
    jumps: Jumps,
}

impl Lowering<'_> {
    /// Numbers every register that the thread, the initial state or the condition names.
    fn collect(&mut self, test: &Test, number: usize) {
        let (mut env, names) = (self.env.clone(), &mut self.names);
        for name in env.registers() {
            names.of(name);
        }
        for stmt in &test.threads[number].body {
            stmt.walk(&mut |expr| {
                if let Some(name) = expr.register() {
                    names.of(name);
                }
            });
            env.note(stmt);
        }
        for name in env.registers() {
            names.of(name);
        }
        let props = std::iter::once(&test.condition.prop).chain(&test.filter);
        let places = props.flat_map(|prop| prop.places()).chain(&test.locations);
        for place in places {
            if let Variable::Register(owner, name) = place
                && *owner == number
            {
                names.of(name);
            }
        }
    }

    fn emit(&mut self, instr: Instr) {
        self.code.push(instr);
        self.at.push(self.here);
    }

    fn temporary(&mut self) -> Index {
        self.temporaries += 1;
        self.names.names.len() + self.temporaries - 1
    }

    fn register(&mut self, name: &str) -> Index {
        self.names.of(name)
    }

    fn statements(&mut self, body: &[Stmt]) {
        for stmt in body {
            self.here = stmt.at;
            self.statement(&stmt.kind);
            if !stmt.is_compound() {
                self.env.note(stmt);
            }
        }
    }

    fn statement(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::Declare(_, _, None) => {}
            StmtKind::Declare(ty, name, Some(expr)) => self.assign(name, expr, *ty),
            StmtKind::Assign(name, expr) => {
                let ty = self.env.register(name).unwrap_or(Type::INT);
                self.assign(name, expr, ty);
            }
            StmtKind::Store(address, expr, order) => {
                let target = self.target(address);
                let ty = self.env.of(address).pointee();
                let value = self.converted(expr, ty);
                self.emit(Instr::Store {
                    target,
                    value,
                    order: *order,
                });
            }
            // A relaxed fence orders nothing.
            StmtKind::Fence(Order::Relaxed | Order::Plain) => {}
            StmtKind::Fence(order) => self.emit(Instr::Fence(*order)),
            StmtKind::Effect(expr) => _ = self.operand(expr),
            StmtKind::Lock(address) => {
                let target = self.target(address);
                self.emit(Instr::Lock(target));
            }
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
            StmtKind::While(test, body) => self.repeat(test, body),
            StmtKind::DoWhile(body, test) => self.do_repeat(body, test),
            StmtKind::Label(name) => self.label(name),
            StmtKind::Goto(name) => self.goto(name),
        }
    }

    /// Gives a register of type `ty` the value of an expression. An address stays one,
    /// whatever the register is declared as.
    fn assign(&mut self, name: &str, expr: &Expr, ty: Type) {
        let dst = self.register(name);
        match self.needs_conversion(expr, ty) {
            true => {
                let from = self.operand(expr);
                let ty = ty.int();
                self.emit(Instr::Convert { dst, from, ty });
            }
            false => self.evaluate(expr, dst),
        }
    }

    fn needs_conversion(&self, expr: &Expr, ty: Type) -> bool {
        let from = self.env.of(expr);
        !from.is_pointer() && !from.int().fits(ty.int())
    }

    /// An operand converted to a type.
    fn converted(&mut self, expr: &Expr, ty: Type) -> Operand {
        let operand = self.operand(expr);
        if !self.needs_conversion(expr, ty) {
            return operand;
        }
        match operand {
            Operand::Const(value) => Operand::Const(ty.int().wrap(value)),
            from @ Operand::Reg(_) => {
                let (dst, ty) = (self.temporary(), ty.int());
                self.emit(Instr::Convert { dst, from, ty });
                Operand::Reg(dst)
            }
        }
    }

    /// What an address expression points to.
    fn target(&mut self, address: &Expr) -> Target {
        if let Expr::Address(name) = address
            && let Some(location) = self.locations.number(name)
        {
            return Target::Location(location);
        }
        match self.operand(address) {
            Operand::Const(address) => match self.locations.addresses.binary_search(&address) {
                Ok(location) => Target::Location(location),
                Err(_) => {
                    let from = Operand::Const(address);
                    let (dst, ty) = (self.temporary(), IntType::LONG);
                    self.emit(Instr::Convert { dst, from, ty });
                    Target::Pointer(dst)
                }
            },
            // The operands after it may change a named register.
            Operand::Reg(register) => Target::Pointer(self.own(register)),
        }
    }

    /// A register that nothing else changes, with the value of this one.
    fn own(&mut self, register: Index) -> Index {
        if register >= self.names.names.len() {
            return register;
        }
        let (dst, from) = (self.temporary(), Operand::Reg(register));
        let ty = IntType::LONG;
        self.emit(Instr::Convert { dst, from, ty });
        dst
    }

    /// What is run only if the operand is not 0.
    fn only_if(&mut self, test: Operand, body: impl FnOnce(&mut Self)) {
        let branch = self.code.len();
        self.emit(Instr::Unless(test, 0));
        body(self);
        self.code[branch] = Instr::Unless(test, self.code.len());
    }
}
