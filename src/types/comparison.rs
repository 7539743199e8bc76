//! Declares comparison operators between two SQL types.

/// Operators `=` and `<>` between two types, from a function that gives their
/// order (`Ordering`) or, where that is unknown, `None` (SQL's NULL).
macro_rules! equality_operators {
    (
        $left:ty, $right:ty, $order:path,
        $equal:ident, $unequal:ident $(, $same_type:ident)*
    ) => {
        #[pg_operator(immutable, parallel_safe)]
        #[opname(=)]
        #[commutator(=)]
        #[negator(<>)]
        #[restrict(eqsel)]
        #[join(eqjoinsel)]
        $(#[$same_type])*
        fn $equal(a: $left, b: $right) -> Option<bool> {
            Option::from($order(&a, &b)).map(std::cmp::Ordering::is_eq)
        }

        #[pg_operator(immutable, parallel_safe)]
        #[opname(<>)]
        #[commutator(<>)]
        #[negator(=)]
        #[restrict(neqsel)]
        #[join(neqjoinsel)]
        fn $unequal(a: $left, b: $right) -> Option<bool> {
            Option::from($order(&a, &b)).map(std::cmp::Ordering::is_ne)
        }
    };
}
pub(super) use equality_operators;

/// Operators `<`, `<=`, `>`, `>=` between two types, and the three-way
/// comparison of a btree, from a function that gives their order.
macro_rules! order_operators {
    (
        $left:ty, $right:ty, $order:path,
        $less:ident, $at_most:ident, $greater:ident, $at_least:ident, $compare:ident
    ) => {
        #[pg_operator(immutable, parallel_safe)]
        #[opname(<)]
        #[commutator(>)]
        #[negator(>=)]
        #[restrict(scalarltsel)]
        #[join(scalarltjoinsel)]
        fn $less(a: $left, b: $right) -> bool {
            $order(&a, &b).is_lt()
        }

        #[pg_operator(immutable, parallel_safe)]
        #[opname(<=)]
        #[commutator(>=)]
        #[negator(>)]
        #[restrict(scalarlesel)]
        #[join(scalarlejoinsel)]
        fn $at_most(a: $left, b: $right) -> bool {
            $order(&a, &b).is_le()
        }

        #[pg_operator(immutable, parallel_safe)]
        #[opname(>)]
        #[commutator(<)]
        #[negator(<=)]
        #[restrict(scalargtsel)]
        #[join(scalargtjoinsel)]
        fn $greater(a: $left, b: $right) -> bool {
            $order(&a, &b).is_gt()
        }

        #[pg_operator(immutable, parallel_safe)]
        #[opname(>=)]
        #[commutator(<=)]
        #[negator(<)]
        #[restrict(scalargesel)]
        #[join(scalargejoinsel)]
        fn $at_least(a: $left, b: $right) -> bool {
            $order(&a, &b).is_ge()
        }

        #[pg_extern(immutable, parallel_safe)]
        fn $compare(a: $left, b: $right) -> i32 {
            $order(&a, &b) as i32
        }
    };
}
pub(super) use order_operators;
