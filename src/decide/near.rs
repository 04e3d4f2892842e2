//! Names that are not there: the one that was meant, perhaps.

/// What to write instead of a name that is not there: the one most like it, or which there are.
pub(crate) fn instead(name: &str, there: &[&str]) -> String {
    nearest(name, there)
        .map_or_else(|| format!("there are {}", there.join(", ")), |near| format!("did you mean {near}?"))
}

/// The name most like a misspelt one, where one is like it.
pub(crate) fn nearest<'a>(name: &str, there: &[&'a str]) -> Option<&'a str> {
    there
        .iter()
        .map(|&near| (strsim::damerau_levenshtein(name, near), near))
        .filter(|(distance, near)| *distance <= 1 + near.chars().count() / 3)
        .min()
        .map(|(_, near)| near)
}
