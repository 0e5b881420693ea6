//! What the reader's screen is like, as whoever calls us found out.

/// Whether text carries colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Style {
    /// No escape sequences at all.
    #[default]
    Plain,
    /// ANSI colors: eight of them, which every terminal has and every theme makes readable.
    Ansi,
}

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// How many columns a line may take. A plan's lines are longer only for its fingerprint, which is copied.
    pub width: usize,
    /// Whether text carries colors.
    pub style: Style,
}

impl Default for TextOptions {
    /// Returns 100 columns without colors.
    fn default() -> Self {
        Self { width: 100, style: Style::Plain }
    }
}

impl TextOptions {
    /// The fewest columns that text is laid out for: below them, it would be all breaks.
    pub const LEAST_WIDTH: usize = 40;

    /// Returns the columns to lay out for.
    pub(crate) fn columns(self) -> usize {
        self.width.max(Self::LEAST_WIDTH)
    }
}
