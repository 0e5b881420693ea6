//! How much is shown of each change, so that all of them fit.

use std::collections::BTreeMap;

use crate::quote::counted;

/// The bytes that the note on what was left out takes at most.
pub(super) const NOTE: usize = 400;

/// One part of the text that can be shown in several lengths.
pub(super) struct Item {
    /// The section's title.
    pub(super) section: &'static str,
    /// Whose differences are kept longest: the lowest.
    pub(super) rank: u8,
    /// The type, by which it is counted when there is no room for names.
    pub(super) kind: String,
    /// How many changes it stands for.
    pub(super) count: usize,
    /// All of it.
    pub(super) full: String,
    /// Its name and what happens to it, as a line of a list.
    pub(super) named: String,
}

/// How much is shown of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Full,
    Named,
    Counted,
}

/// What there is room for.
pub(super) struct Fitted {
    pub(super) body: String,
    /// What was left out and where it is; empty when nothing was.
    pub(super) note: String,
}

/// Chooses how much to show of each item in so many bytes, and puts the text together.
pub(super) fn fit(items: &[Item], room: usize) -> Fitted {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&at| items[at].rank);
    let mut shown = vec![Shown::Counted; items.len()];
    for longer in [Shown::Named, Shown::Full] {
        let mut used = together(items, &shown).len();
        for &at in &order {
            let Some(cost) = cost(&items[at], longer) else { continue };
            if shown[at] == before(longer) && used + cost <= room {
                shown[at] = longer;
                used += cost;
            }
        }
    }
    Fitted { body: together(items, &shown), note: note(items, &shown) }
}

fn before(shown: Shown) -> Shown {
    match shown {
        Shown::Full => Shown::Named,
        Shown::Named | Shown::Counted => Shown::Counted,
    }
}

/// Returns the bytes that it takes more to show an item so. Counts only get smaller by it.
fn cost(item: &Item, longer: Shown) -> Option<usize> {
    match longer {
        Shown::Counted => None,
        // An empty line ends the list.
        Shown::Named => Some(item.named.len() + 1),
        Shown::Full => Some(item.full.len().saturating_sub(item.named.len())),
    }
}

/// Puts the text together: in each section what is shown in full, then what is named, then what is counted.
fn together(items: &[Item], shown: &[Shown]) -> String {
    let mut sections: Vec<&'static str> = Vec::new();
    for item in items {
        if !sections.contains(&item.section) {
            sections.push(item.section);
        }
    }
    let mut out = String::new();
    for section in sections {
        out.extend(["### ", section, "\n\n"]);
        let of = |wanted: Shown| {
            let all = items.iter().zip(shown);
            all.filter(move |(it, is)| it.section == section && **is == wanted).map(|(it, _)| it)
        };
        out.extend(of(Shown::Full).map(|item| item.full.as_str()));
        let mut list: String = of(Shown::Named).map(|item| item.named.as_str()).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        of(Shown::Counted).for_each(|it| *counts.entry(&it.kind).or_default() += it.count);
        list.extend(
            counts.iter().map(|(kind, it)| format!("- `{kind}`: {it} that are not named here\n")),
        );
        if !list.is_empty() {
            out.push_str(&list);
            out.push('\n');
        }
    }
    out
}

fn note(items: &[Item], shown: &[Shown]) -> String {
    let count = |wanted: Shown| -> usize {
        let of = items.iter().zip(shown).filter(|(_, is)| **is == wanted);
        of.map(|(item, _)| item.count).sum()
    };
    let (named, counted_only) = (count(Shown::Named), count(Shown::Counted));
    let mut parts = Vec::new();
    if named > 0 {
        parts.push(format!("the differences of {}", counted(named, "change")));
    }
    if counted_only > 0 {
        parts.push(format!("even the names of {}", counted(counted_only, "change")));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!(
        "> **Shortened** to fit a comment: {} are left out. The whole plan is what `reconcile plan` prints, with \
         `--format html` as a page and with `--json` for tools.\n\n",
        parts.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(section: &'static str, rank: u8, name: &str, length: usize) -> Item {
        Item {
            section,
            rank,
            kind: "t".to_owned(),
            count: 1,
            full: format!("{name} {}\n\n", "x".repeat(length)),
            named: format!("- {name}\n"),
        }
    }

    #[test]
    fn what_fits_is_whole_and_the_rest_in_order_of_rank() {
        let items = [item("A", 1, "big", 500), item("A", 1, "small", 10), item("B", 0, "bad", 300)];
        for room in (100..1000).step_by(7) {
            let Fitted { body, note } = fit(&items, room);
            assert!(body.len() <= room, "{} in {room}: {body}", body.len());
            assert_eq!(note.is_empty(), body.matches('x').count() == 810, "{body}");
            assert!(note.len() <= NOTE, "{note}");
        }
        let Fitted { body, note } = fit(&items, 400);
        assert!(body.contains("bad x") && body.contains("small x") && body.contains("- big\n"));
        assert!(note.contains("the differences of 1 change are left out"), "{note}");
        let Fitted { body, note } = fit(&items, 100);
        assert!(body.contains("not named here"), "{body}");
        assert!(note.contains("even the names of"), "{note}");
    }
}
