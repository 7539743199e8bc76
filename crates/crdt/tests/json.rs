//! Registers hold JSON that jsonb can take, in one canonical text.

use crdt::json::{MAX_DEPTH, canonical, check_canonical, quote};
use proptest::prelude::*;

/// What jsonb takes for equal must be one value here, or a copy through jsonb gets a new stamp.
#[test]
fn canonical_text() {
    for (text, expected) in [
        (
            " { \"b\" : 1 , \"a\" : [ true , null , false ] } ",
            r#"{"a":[true,null,false],"b":1}"#,
        ),
        (
            r#"{"a":1,"b":{"d":1,"c":2},"a":2}"#,
            r#"{"a":2,"b":{"c":2,"d":1}}"#,
        ),
        (r#"{"a!":1,"a":2}"#, r#"{"a":2,"a!":1}"#),
        (
            r#""\u0041\/\u00e9\ud83d\ude00\t\u001f\"\\""#,
            "\"A/é😀\\t\\u001f\\\"\\\\\"",
        ),
        ("-0.50e+3", "-0.50e+3"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("[]", "[]"),
        ("{}", "{}"),
    ] {
        assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        assert_eq!(check_canonical(expected), Ok(()));
    }
}

/// What jsonb refuses would make a register that cannot be cast.
#[test]
fn what_jsonb_refuses_is_refused() {
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "tru",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "1 2",
        "[1,]",
        "[,1]",
        "[1",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "1e131072",
        "1e-16384",
        "1e99999999999999999999999",
        "'a'",
        "NaN",
    ] {
        assert!(canonical(text).is_err(), "{text}");
    }
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(canonical(&deep(MAX_DEPTH)).is_ok());
    assert!(canonical(&deep(MAX_DEPTH + 1)).is_err());
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<i64>().prop_map(|it| it.to_string()),
        ".{0,6}".prop_map(|text| quote(&text)),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let member = ("[a-c\"!]{0,2}", inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(" ,"))),
            prop::collection::vec(member, 0..4).prop_map(|members| {
                let members = members
                    .into_iter()
                    .map(|(key, value)| quote(&key) + ": " + &value);
                format!("{{ {} }}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_is_a_fixed_point(text in json()) {
        // A NUL in a generated string is refused, like in jsonb.
        if let Ok(once) = canonical(&text) {
            prop_assert_eq!(check_canonical(&once), Ok(()));
            prop_assert_eq!(canonical(&once), Ok(once));
        } else {
            prop_assert!(text.contains("\\u0000"));
        }
    }

    #[test]
    fn random_text_never_panics(text in "[\\[\\]{}\",:\\\\u0-9a-f.eE+\\- ]{0,30}") {
        if let Ok(once) = canonical(&text) {
            prop_assert_eq!(check_canonical(&once), Ok(()));
        }
    }
}
