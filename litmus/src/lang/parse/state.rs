//! Places, the initial state and `locations`.

use super::token::Token;
use super::{
    Init, InitValue, MAX_LOCATIONS, MAX_THREADS, ParseError, Parser, Pos, Result, Type, Value,
    Variable,
};

impl Parser {
    /// `x`, `[x]`, `a[1]`, `0:r0` or `P0:r0`; after the threads it has to exist.
    pub(super) fn place(&mut self) -> Result<Variable> {
        let at = self.at();
        let place = self.any_place()?;
        if self.known.complete {
            self.check_place(&place, at)?;
        }
        Ok(place)
    }

    /// Refuses a place that the test does not have.
    fn check_place(&self, place: &Variable, at: Pos) -> Result<()> {
        let known = &self.known;
        match place {
            Variable::Location(name) if !known.locations.contains_key(name) => {
                let mut names: Vec<&str> = known.locations.keys().map(String::as_str).collect();
                names.sort_unstable();
                let help = match names.is_empty() {
                    true => "this test has no shared location; registers are written thread:name, as in 0:r0".into(),
                    false => format!("locations are {}; registers are written thread:name, as in 0:r0", listed(&names)),
                };
                Err(ParseError::new(
                    at,
                    format!("`{name}` is not a location of this test"),
                    help,
                ))
            }
            Variable::Register(thread, name) => match known.registers.get(*thread) {
                None => Err(ParseError::new(
                    at,
                    "there is no such thread",
                    format!("the threads are 0 to {}", known.registers.len() - 1),
                )),
                Some(registers) if !registers.contains_key(name) => {
                    let mut names: Vec<&str> = registers.keys().map(String::as_str).collect();
                    names.sort_unstable();
                    let help = match names.is_empty() {
                        true => "that thread has no register; declare one: `int r0 = …;`".into(),
                        false => format!("its registers are {}", listed(&names)),
                    };
                    Err(ParseError::new(
                        at,
                        format!("thread {thread} has no register `{name}`"),
                        help,
                    ))
                }
                Some(_) => Ok(()),
            },
            Variable::Location(_) => Ok(()),
        }
    }

    /// What a place is known to hold.
    pub(super) fn type_of(&self, place: &Variable) -> Option<Type> {
        match place {
            Variable::Location(name) => self.known.locations.get(name).copied().flatten(),
            Variable::Register(thread, name) => {
                self.known.registers.get(*thread)?.get(name).copied()
            }
        }
    }

    fn any_place(&mut self) -> Result<Variable> {
        if self.eat("[") {
            let name = self.word("a location")?;
            let name = self.element(name)?;
            self.expect("]", "after the location")?;
            return Ok(Variable::Location(name));
        }
        if let Token::Number(thread, _) = *self.peek() {
            self.advance();
            self.expect(":", "between thread and register")?;
            return self.register(thread);
        }
        if self.word_ahead("fault") && *self.peek_at(1) == Token::Symbol("(") {
            return Err(self.error(
                "`fault` speaks of page faults, which C11 knows nothing of",
                "ask about locations and registers",
            ));
        }
        if self.ahead("*") {
            return Err(self.error(
                "`*x` is not a place on this side",
                "write `x` for the content of x; `*x` stands right of the `=` only",
            ));
        }
        let name = self.word("a location or register")?;
        match proc_number(&name) {
            Some(thread) if self.eat(":") => self.register(thread),
            _ => self.element(name).map(Variable::Location),
        }
    }

    /// `a[1]` as one name.
    pub(super) fn element(&mut self, array: String) -> Result<String> {
        match (self.peek(), self.peek_at(1), self.peek_at(2)) {
            (Token::Symbol("["), &Token::Number(index, _), Token::Symbol("]")) => {
                (0..3).for_each(|_| _ = self.advance());
                Ok(format!("{array}[{index}]"))
            }
            (Token::Symbol("["), ..) => Err(self.error(
                "expected an element's number in brackets",
                "write it as in `a[1]`",
            )),
            _ => Ok(array),
        }
    }

    fn register(&mut self, thread: i64) -> Result<Variable> {
        let name = self.word("a register")?;
        // Absurd numbers are refused with the other unknown threads, when the test is resolved.
        Ok(Variable::Register(
            usize::try_from(thread).unwrap_or(usize::MAX),
            name,
        ))
    }

    /// A number, `x`, `&x` or `a[1]`.
    pub(super) fn value(&mut self, role: &str) -> Result<Value> {
        if self.eat("&") || matches!(self.peek(), Token::Word(w) if w != "NULL") {
            let at = self.at();
            let name = self.word("a location")?;
            let name = self.element(name)?;
            if !self.known.complete {
                self.known.addresses.push((name.clone(), at));
            }
            return Ok(Value::Address(name));
        }
        match self.eat_word("NULL") {
            true => Ok(Value::Int(0)),
            false => self.integer(role).map(Value::Int),
        }
    }

    pub(super) fn init(&mut self) -> Result<Vec<Init>> {
        self.expect("{", "before the initial state")?;
        let mut out: Vec<Init> = Vec::new();
        loop {
            while self.eat(";") {}
            if self.eat("}") {
                return Ok(out);
            }
            let at = self.at();
            let ty = self.init_type()?;
            let init = match (self.peek(), self.peek_at(1)) {
                (Token::Word(_), Token::Symbol("[")) => self.array(ty)?,
                _ => {
                    let place = self.place()?;
                    let value = match self.eat("=") {
                        true => InitValue::One(self.initial_value()?),
                        false => InitValue::One(Value::Int(0)),
                    };
                    Init { ty, place, value }
                }
            };
            self.note_init(&init, at)?;
            out.push(init);
            if !self.ahead("}") {
                self.expect(";", "after an initial value")?;
            }
        }
    }

    fn initial_value(&mut self) -> Result<Value> {
        let wrapped = ["ATOMIC_VAR_INIT", "ATOMIC_INIT"]
            .iter()
            .any(|word| self.eat_word(word));
        if !wrapped {
            return self.value("an initial value");
        }
        self.expect("(", "after it")?;
        let value = self.value("an initial value")?;
        self.expect(")", "after the value")?;
        Ok(value)
    }

    /// `a[2]` or `a[2] = {1, 2}`.
    fn array(&mut self, ty: Option<Type>) -> Result<Init> {
        let name = self.word("a location")?;
        self.expect("[", "after the array's name")?;
        let at = self.at();
        let length = self.integer("an array's length")?;
        if !(1..=MAX_LOCATIONS as i64).contains(&length) {
            return Err(ParseError::new(
                at,
                format!("an array of {length} elements"),
                format!("write a length from 1 to {MAX_LOCATIONS}"),
            ));
        }
        self.expect("]", "after the array's length")?;
        let length = length as usize;
        let mut values = Vec::new();
        if self.eat("=") {
            self.expect(
                "{",
                "before the elements (one element alone is given a value in the thread)",
            )?;
            while !self.eat("}") {
                if !values.is_empty() {
                    self.expect(",", "between elements")?;
                }
                values.push(self.initial_value()?);
                if values.len() > length {
                    break;
                }
            }
            if values.len() != length {
                return Err(ParseError::new(
                    at,
                    format!("`{name}` has {length} elements but not {length} values"),
                    "give each element its value, or none",
                ));
            }
        }
        values.resize(length, Value::Int(0));
        let (place, value) = (Variable::Location(name), InitValue::Array(values));
        Ok(Init { ty, place, value })
    }

    /// Takes notice of what the initial state declares.
    fn note_init(&mut self, init: &Init, at: Pos) -> Result<()> {
        let twice = || ParseError::new(at, "initialised twice", "remove one of the two");
        let address = |value: &Value| matches!(value, Value::Address(_));
        match (&init.place, &init.value) {
            (Variable::Location(name), InitValue::Array(values)) => {
                if self.known.locations.contains_key(name)
                    || self
                        .known
                        .arrays
                        .insert(name.clone(), values.len())
                        .is_some()
                {
                    return Err(twice());
                }
                for index in 0..values.len() {
                    self.know(&format!("{name}[{index}]"), init.ty, at)?;
                }
            }
            (Variable::Location(name), InitValue::One(value)) => {
                if self.known.locations.contains_key(name) || self.known.arrays.contains_key(name) {
                    return Err(twice());
                }
                if name.contains('[') {
                    return Err(ParseError::new(
                        at,
                        "an element alone cannot be initialised",
                        "write `int a[2] = {0, 1};`",
                    ));
                }
                let pointer = address(value).then_some(Type::INT.pointer());
                self.know(name, init.ty.or(pointer), at)?;
            }
            (Variable::Register(thread, name), InitValue::One(value)) => {
                if *thread >= MAX_THREADS {
                    return Err(ParseError::new(
                        at,
                        "there is no such thread",
                        format!("threads are P0 to at most P{}", MAX_THREADS - 1),
                    ));
                }
                let registers = &mut self.known.registers;
                let length = registers.len().max(thread + 1);
                registers.resize_with(length, Default::default);
                let ty = match address(value) {
                    true => init
                        .ty
                        .filter(|ty| ty.is_pointer())
                        .unwrap_or(Type::INT.pointer()),
                    false => init.ty.unwrap_or(Type::INT),
                };
                if registers[*thread].insert(name.clone(), ty.held()).is_some() {
                    return Err(twice());
                }
                if registers[*thread].len() > MAX_LOCATIONS {
                    return Err(ParseError::new(
                        at,
                        "too many registers",
                        format!("at most {MAX_LOCATIONS} of a thread are initialised"),
                    ));
                }
            }
            (Variable::Register(..), InitValue::Array(_)) => unreachable!("arrays are locations"),
        }
        Ok(())
    }

    /// Takes notice of a location; of its type, if `ty` says it.
    pub(super) fn know(&mut self, name: &str, ty: Option<Type>, at: Pos) -> Result<()> {
        if self.known.arrays.contains_key(name) {
            return Ok(());
        }
        let known = self.known.locations.get(name).copied().flatten();
        let joined = match (known, ty) {
            (Some(known), Some(ty)) => {
                let joined = known.joined(ty);
                if known.int().bits != ty.int().bits {
                    let what = format!(
                        "`{name}` is declared with different widths; it is read as {joined}"
                    );
                    self.warn_at(at, what);
                }
                Some(joined)
            }
            (known, ty) => known.or(ty),
        };
        self.known.locations.insert(name.to_string(), joined);
        match self.known.locations.len() > MAX_LOCATIONS {
            true => Err(ParseError::new(
                at,
                format!("more than {MAX_LOCATIONS} locations"),
                "a litmus test has a handful",
            )),
            false => Ok(()),
        }
    }

    /// The addresses in the initial state have to be those of locations.
    pub(super) fn resolve_addresses(&mut self) -> Result<()> {
        let addresses = std::mem::take(&mut self.known.addresses);
        addresses
            .iter()
            .try_for_each(|(name, at)| self.check_address(name, *at))
    }

    pub(super) fn check_address(&self, name: &str, at: Pos) -> Result<()> {
        match self.known.arrays.contains_key(name) {
            true => Ok(()),
            false => self.check_place(&Variable::Location(name.to_string()), at),
        }
    }

    pub(super) fn locations(&mut self) -> Result<Vec<Variable>> {
        self.expect("[", "after `locations`")?;
        let mut out = Vec::new();
        let mut seen = std::collections::HashSet::new();
        loop {
            while self.eat(";") {}
            if self.eat("]") {
                return Ok(out);
            }
            self.eat("*");
            let places = match self.whole_array() {
                Some(elements) => elements,
                None => vec![self.place()?],
            };
            out.extend(
                places
                    .into_iter()
                    .filter(|place| seen.insert(place.clone())),
            );
            // A type says how herd is to print it.
            while self.type_ahead() {
                self.pointer_type()?;
            }
            self.eat("*");
            if !self.ahead("]") {
                self.expect(";", "between locations")?;
            }
        }
    }

    /// An array's name alone: all its elements.
    pub(super) fn whole_array(&mut self) -> Option<Vec<Variable>> {
        let Token::Word(name) = self.peek().clone() else {
            return None;
        };
        let length = *self.known.arrays.get(&name)?;
        if *self.peek_at(1) == Token::Symbol("[") {
            return None;
        }
        self.advance();
        let element = |index| Variable::Location(format!("{name}[{index}]"));
        Some((0..length).map(element).collect())
    }
}

/// The first few names.
fn listed(names: &[&str]) -> String {
    match names.len() > 20 {
        true => format!("{}, …", names[..20].join(", ")),
        false => names.join(", "),
    }
}

/// `P12` is 12.
pub(super) fn proc_number(word: &str) -> Option<i64> {
    let digits = word.strip_prefix('P')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}
