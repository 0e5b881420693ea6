//! The colors of drawings and pages, in light and in dark.
//!
//! Every ink is readable on its own tint and on the ground: a contrast of 4.5 at least, which a test measures in a
//! browser.

use std::fmt::Write as _;

/// A color by its name in style sheets, in light and in dark.
const COLORS: [(&str, &str, &str); 29] = [
    ("ground", "#f7f7f5", "#131518"),
    ("surface", "#ffffff", "#1a1d21"),
    ("raised", "#f1f1ee", "#23272c"),
    ("line", "#dfdfda", "#30353b"),
    ("text", "#1f2328", "#e6e8eb"),
    ("quiet", "#5c636d", "#9aa3ae"),
    ("accent", "#0b5cad", "#7cb8ff"),
    ("edge", "#8b929b", "#6d7681"),
    ("create", "#1a6e34", "#6fd388"),
    ("create-tint", "#e9f6ec", "#15281b"),
    ("update", "#7d5200", "#e3b557"),
    ("update-tint", "#fcf3dc", "#2c2413"),
    ("replace", "#86308b", "#e3a3e6"),
    ("replace-tint", "#f9ecf9", "#2c1a2d"),
    ("delete", "#b3261e", "#ff9b93"),
    ("delete-tint", "#fdeceb", "#33191a"),
    ("read", "#0b5cad", "#7cb8ff"),
    ("read-tint", "#e7f1fb", "#152638"),
    ("forget", "#535b65", "#a7b0ba"),
    ("forget-tint", "#eeeff1", "#262a2f"),
    ("added", "#14532a", "#b6ecc4"),
    ("added-ground", "#ecf8ef", "#14241a"),
    ("added-strong", "#c3ecce", "#1f5532"),
    ("removed", "#7f1d17", "#ffc9c4"),
    ("removed-ground", "#fdf0ef", "#2b1718"),
    ("removed-strong", "#f9cfcb", "#6a2a2a"),
    ("focus", "#0b5cad", "#7cb8ff"),
    ("mark", "#fff1b8", "#4d4113"),
    ("shadow", "#1f23280f", "#00000066"),
];

/// Returns the variables of a page, which follow its color scheme.
pub(crate) fn variables() -> String {
    let mut out = String::from(":root{");
    for (name, light, dark) in COLORS {
        let _ = write!(out, "--{name}:light-dark({light},{dark});");
    }
    out.push_str("}\n");
    out
}

/// Returns a style sheet with the colors written out, for a picture of its own: not all that draw pictures know variables.
pub(crate) fn written_out(style: &str) -> String {
    let with = |pick: fn(&(&str, &str, &str)) -> String| {
        COLORS.iter().fold(style.to_owned(), |style, color| {
            style.replace(&format!("var(--{})", color.0), &pick(color))
        })
    };
    let light = with(|(_, light, _)| (*light).to_owned());
    let dark = with(|(_, _, dark)| (*dark).to_owned());
    format!("{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n")
}

/// Returns a color as it is in light.
pub(crate) fn light(name: &str) -> Option<&'static str> {
    COLORS.iter().find(|color| color.0 == name).map(|color| color.1)
}
