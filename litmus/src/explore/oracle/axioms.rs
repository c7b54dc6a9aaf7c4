//! The axioms of the models, relation by relation.

use super::super::Model;
use super::super::program::MemoryOrder;
use super::graph::{Event, Graph, What};
use super::relation::Rel;

pub(super) struct Relations {
    events: Vec<(usize, Event)>,
    sb: Rel,
    /// sb and what thread joins add to it.
    order: Rel,
    /// From a thread's events to what joins it.
    joins: Rel,
    rf: Rel,
    co: Rel,
    rb: Rel,
    rmw: Rel,
    hb: Rel,
}

impl Relations {
    pub fn of(graph: &Graph) -> Self {
        let mut index = Vec::new();
        let mut events = Vec::new();
        for (t, thread) in graph.threads.iter().enumerate() {
            index.push(events.len());
            events.extend(thread.iter().map(|e| (t, e.clone())));
        }
        let n = events.len();
        assert!(
            n <= 64,
            "brute force is for executions of at most 64 events"
        );
        let at = |(t, i): (usize, usize)| index[t] + i;
        let e = |i: usize| &events[i].1;
        let sb = Rel::from(n, |a, b| events[a].0 == events[b].0 && a < b);
        let joins = Rel::from(n, |a, b| {
            e(b).what == What::Join && e(b).joined == events[a].0
        });
        let order = sb.or(&joins).closure();
        let rf = Rel::from(n, |a, b| {
            e(b).what == What::Read && e(b).rf.map(at) == Some(a)
        });
        let mut co = Rel::new(n);
        for writes in &graph.co {
            for (i, &a) in writes.iter().enumerate() {
                for &b in &writes[i + 1..] {
                    co.0[at(a)] |= 1 << at(b);
                }
            }
        }
        // Reads of the initial write are before every write of their location.
        let from_initial = Rel::from(n, |a, b| {
            e(a).what == What::Read
                && e(a).rf.is_none()
                && e(b).what == What::Write
                && e(a).location == e(b).location
        });
        let rb = rf
            .inverse()
            .then(&co)
            .or(&from_initial)
            .filter(|a, b| a != b);
        let rmw = Rel::from(n, |a, b| {
            b == a + 1
                && events[a].0 == events[b].0
                && e(a).exclusive
                && e(b).exclusive
                && e(a).what == What::Read
                && e(b).what == What::Write
        });
        // sw = [⊒rel];([F];sb)?;[W∩atomic];(rf;rmw)*;rf;[R∩atomic];(sb;[F])?;[⊒acq]
        let atomic = |i: usize| e(i).order != MemoryOrder::Plain;
        let chain = rf.then(&rmw).star();
        let source = Rel::from(n, |a, b| {
            e(b).what == What::Write
                && atomic(b)
                && e(a).order.releases()
                && (a == b || e(a).what == What::Fence && sb.has(a, b))
        });
        let target = Rel::from(n, |a, b| {
            e(a).what == What::Read
                && atomic(a)
                && e(b).order.acquires()
                && (a == b || e(b).what == What::Fence && sb.has(a, b))
        });
        let sw = source.then(&chain).then(&rf).then(&target);
        let hb = order.or(&sw).closure();
        Self {
            events,
            sb,
            order,
            joins,
            rf,
            co,
            rb,
            rmw,
            hb,
        }
    }

    fn event(&self, i: usize) -> &Event {
        &self.events[i].1
    }

    fn same_location(&self, a: usize, b: usize) -> bool {
        self.event(a).location != usize::MAX && self.event(a).location == self.event(b).location
    }

    pub fn consistent(&self, model: Model) -> bool {
        let atomicity = self
            .rmw
            .filter(|a, b| self.rb.then(&self.co).has(a, b))
            .0
            .iter()
            .all(|&row| row == 0);
        atomicity
            && self.order.or(&self.rf).acyclic()
            && match model {
                Model::Rust => self.cpp20(),
                Model::Rc11 => self.rc11(),
                Model::Sc => self.order.or(&self.rf).or(&self.co).or(&self.rb).acyclic(),
                Model::Tso => self.tso(),
            }
    }

    fn rc11(&self) -> bool {
        let n = self.events.len();
        let eco = self.rf.or(&self.co).or(&self.rb).closure();
        let hb = &self.hb;
        if !hb.then(&eco.optional()).irreflexive() {
            return false;
        }
        let sc = |i: usize| self.event(i).order == MemoryOrder::SeqCst;
        let fence = |i: usize| sc(i) && self.event(i).what == What::Fence;
        // Allocations and their ends are not among RC11's events.
        let lifetime = |i: usize| matches!(self.event(i).what, What::Alloc | What::Free);
        let elsewhere = self
            .sb
            .filter(|a, b| !self.same_location(a, b) && !lifetime(a) && !lifetime(b));
        let scb = self
            .sb
            .or(&elsewhere.then(hb).then(&elsewhere))
            .or(&hb.filter(|a, b| self.same_location(a, b)))
            .filter(|a, b| !lifetime(a) && !lifetime(b))
            .or(&self.co)
            .or(&self.rb);
        let maybe = hb.optional();
        let left = Rel::from(n, |a, b| sc(a) && a == b || fence(a) && maybe.has(a, b));
        let right = Rel::from(n, |a, b| sc(b) && a == b || fence(b) && maybe.has(a, b));
        let base = left.then(&scb).then(&right);
        let fences = hb
            .or(&hb.then(&eco).then(hb))
            .filter(|a, b| fence(a) && fence(b));
        base.or(&fences).acyclic()
    }

    /// [atomics.order]: an order S of the seq_cst operations.
    fn cpp20(&self) -> bool {
        let n = self.events.len();
        let cob = self.rf.or(&self.co).or(&self.rb).closure();
        if !self.hb.then(&cob.optional()).irreflexive() {
            return false;
        }
        let sc = |i: usize| self.event(i).order == MemoryOrder::SeqCst;
        let fence = |i: usize| sc(i) && self.event(i).what == What::Fence;
        let atomic = |i: usize| self.event(i).order != MemoryOrder::Plain;
        // An update is one operation: the number of its first event stands for both.
        let whole = |i: usize| match (0..i).find(|&first| self.rmw.has(first, i)) {
            Some(first) => first,
            None => i,
        };
        let sb = self.sb.filter(|a, b| whole(a) != whole(b));
        // A thread's end, sequenced after all its events, happens before a join.
        let strongly = sb
            .or(&self.joins.then(&sb))
            .or(&sb.or(&self.joins).then(&self.hb).then(&sb))
            .filter(|a, b| sc(a) && sc(b));
        let from = Rel::from(n, |a, b| sc(a) && a == b).or(&self.hb.filter(|a, _| fence(a)));
        let to = Rel::from(n, |a, b| sc(b) && a == b).or(&self.hb.filter(|_, b| fence(b)));
        let cob = cob.filter(|a, b| atomic(a) && atomic(b));
        let s = strongly.or(&from.then(&cob).then(&to));
        let mut whole_s = Rel::new(n);
        for a in 0..n {
            for b in (0..n).filter(|&b| s.has(a, b) && whole(a) != whole(b)) {
                whole_s.0[whole(a)] |= 1 << whole(b);
            }
        }
        whole_s.acyclic()
    }

    fn tso(&self) -> bool {
        let n = self.events.len();
        let local = self.sb.filter(|a, b| self.same_location(a, b));
        if !local.or(&self.rf).or(&self.co).or(&self.rb).acyclic() {
            return false;
        }
        let locked = |i: usize| {
            let e = self.event(i);
            let access = matches!(e.what, What::Read | What::Write);
            // With LOCK a compare-exchange writes and drains even when it fails.
            access && e.locked
                || matches!(e.what, What::Write | What::Fence) && e.order == MemoryOrder::SeqCst
                || e.what == What::Join
        };
        let memory = |i: usize| matches!(self.event(i).what, What::Read | What::Write) || locked(i);
        let ppo = self.sb.filter(|a, b| {
            let store = self.event(a).what == What::Write && !locked(a);
            let load = self.event(b).what == What::Read && !locked(b);
            let drained = (0..n).any(|c| locked(c) && self.sb.has(a, c) && self.sb.has(c, b));
            memory(a) && memory(b) && (!(store && load) || drained)
        });
        let external = self.rf.filter(|a, b| self.events[a].0 != self.events[b].0);
        let joins = self
            .order
            .filter(|a, b| self.events[a].0 != self.events[b].0);
        ppo.or(&external)
            .or(&self.co)
            .or(&self.rb)
            .or(&joins)
            .acyclic()
    }

    /// Whether two events of one location are a data race; of the end of a location and an
    /// access, or of the end and an access of what is not allocated yet, if nothing orders them.
    pub fn race(&self) -> bool {
        self.any_pair(|a, b| {
            let (x, y) = (self.event(a), self.event(b));
            match (x.what, y.what) {
                (What::Free, What::Free) => false,
                (What::Free, What::Read | What::Write) => !self.ordered(a, b),
                (What::Alloc, What::Read | What::Write | What::Free) => !self.hb.has(a, b),
                (What::Read | What::Write, What::Read | What::Write) => {
                    (x.what == What::Write || y.what == What::Write)
                        && (x.order == MemoryOrder::Plain || y.order == MemoryOrder::Plain)
                        && !self.ordered(a, b)
                }
                _ => false,
            }
        })
    }

    /// Whether a location is accessed after its end.
    pub fn use_after_free(&self) -> bool {
        self.any_pair(|a, b| {
            let access = matches!(self.event(b).what, What::Read | What::Write);
            self.event(a).what == What::Free && access && self.hb.has(a, b)
        })
    }

    /// Whether a location ends twice.
    pub fn double_free(&self) -> bool {
        self.any_pair(|a, b| [a, b].iter().all(|&e| self.event(e).what == What::Free))
    }

    /// Whether a location that is allocated never ends.
    pub fn leak(&self) -> bool {
        let all = 0..self.events.len();
        let freed = |a| {
            let mut ends = all.clone().filter(|&b| self.event(b).what == What::Free);
            ends.any(|b| self.same_location(a, b))
        };
        let mut allocations = all.clone().filter(|&a| self.event(a).what == What::Alloc);
        allocations.any(|a| !freed(a))
    }

    fn ordered(&self, a: usize, b: usize) -> bool {
        self.hb.has(a, b) || self.hb.has(b, a)
    }

    /// Whether something holds of two events of one location, in this order.
    fn any_pair(&self, holds: impl Fn(usize, usize) -> bool) -> bool {
        let n = self.events.len();
        (0..n).any(|a| (0..n).any(|b| a != b && self.same_location(a, b) && holds(a, b)))
    }
}
