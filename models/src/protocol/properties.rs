//! The table in which a protocol declares what must hold.

/// Properties, each with the misbehaviours that break it, and where; a list that has a name by `..NAME`.
///
/// ```text
/// properties! {
///     "P1" "an object is freed once, and nobody uses it then" by [..ALIVE];
///     "P2" "no two threads are inside" by [DataRace at "data" "count", LostUpdate];
/// }
/// ```
#[macro_export]
macro_rules! properties {
    ($($id:literal $states:literal by [$($breach:tt)+];)*) => {
        &[$($crate::protocol::Property::new($id, $states, $crate::properties!(@by $($breach)+))),*]
    };
    (@by .. $named:expr) => { $named };
    (@by $($kind:ident $(at $($place:literal)+)?),+) => {
        &[$($crate::properties!(@breach $kind $($($place)+)?)),+]
    };
    (@breach $kind:ident) => { $crate::verdict::Kind::$kind.anywhere() };
    (@breach $kind:ident $($place:literal)+) => { $crate::verdict::Kind::$kind.at(&[$($place),+]) };
}
