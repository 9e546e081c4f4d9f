//! What holds for every text of the portal.

/// Each text is there in both languages and holds no markup.
pub(super) fn both_languages(all: &[(&str, &str, &str)]) {
    for (name, dutch, english) in all {
        for text in [dutch, english] {
            assert!(!text.trim().is_empty() && text.trim() == *text, "{name}");
            assert!(!text.contains(['<', '>', '&']), "{name}: {text}");
        }
    }
}

/// Dutch texts have short sentences and no stiff words.
pub(super) fn plain(all: &[(&str, &str, &str)]) {
    for (name, dutch, _) in all {
        let longest = dutch.split(['.', '?', ':']).map(|sentence| sentence.split_whitespace().count()).max();
        assert!(longest.unwrap_or(0) <= 22, "{name} has a sentence of more than 22 words: {dutch}");
        for stiff in ["dient", "middels", "teneinde", "conform", "derhalve", "welke ", "je ", "jouw"] {
            assert!(!format!(" {dutch} ").contains(&format!(" {stiff}")), "{name}: \"{stiff}\"");
        }
    }
}
