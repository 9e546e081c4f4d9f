//! The long name of an entry: the line that `ls -l` would show of it, in the columns
//! of OpenSSH's `sftp-server`, which some clients read. Knows no clock and no users.

use super::shelf::{Attributes, Entry, FileKind};

/// The line with ids as numbers, the day in UTC and with the year.
pub fn plain(entry: &Entry) -> String {
    let shown = &entry.attributes;
    let (year, month, day) = civil(shown.mtime_seconds / 86_400);
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        .get(month as usize - 1)
        .copied()
        .unwrap_or("Jan");
    line(entry, &shown.uid.to_string(), &shown.gid.to_string(), &format!("{month} {day:>2}  {year}"))
}

/// The line with names and time as given.
pub fn line(entry: &Entry, owner: &str, group: &str, changed: &str) -> String {
    let Attributes { links, size_bytes, .. } = entry.attributes;
    // strmode(3) ends with a blank
    format!("{}  {links:>3} {owner:<8} {group:<8} {size_bytes:>8} {changed} {}", mode(&entry.attributes), entry.name)
}

/// Kind and permissions in ten letters.
fn mode(shown: &Attributes) -> String {
    let mut text = String::with_capacity(10);
    text.push(match shown.kind {
        FileKind::File => '-',
        FileKind::Folder => 'd',
        FileKind::Link => 'l',
        FileKind::Pipe => 'p',
        FileKind::Socket => 's',
        FileKind::CharacterDevice => 'c',
        FileKind::BlockDevice => 'b',
    });
    for (shift, special, letter) in [(6_u32, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = shown.permissions >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (shown.permissions & special != 0, bits & 1 != 0) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, false) => letter.to_ascii_uppercase(),
            (true, true) => letter,
        });
    }
    text
}

/// Year, month 1–12 and day of a day number since 1970-01-01 (Hinnant's `civil_from_days`).
fn civil(days: u32) -> (u32, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let slot = (5 * of_year + 2) / 153;
    let day = of_year - (153 * slot + 2) / 5 + 1;
    let month = if slot < 10 { slot + 3 } else { slot - 9 };
    (year_of_era + era * 400 + u32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: FileKind, permissions: u32) -> Attributes {
        Attributes {
            kind,
            links: 1,
            size_bytes: 1234,
            permissions,
            uid: 10,
            gid: 20,
            atime_seconds: 0,
            mtime_seconds: 1_709_164_800, // 2024-02-29
        }
    }

    #[test]
    fn a_long_name_reads_as_ls_writes_it() {
        let entry = Entry { name: "a.txt".to_owned(), attributes: shown(FileKind::File, 0o440) };
        assert_eq!(plain(&entry), "-r--r-----    1 10       20           1234 Feb 29  2024 a.txt");
    }

    #[test]
    fn special_bits_have_their_letters() {
        assert_eq!(mode(&shown(FileKind::Folder, 0o1777)), "drwxrwxrwt");
        assert_eq!(mode(&shown(FileKind::File, 0o6755)), "-rwsr-sr-x");
        assert_eq!(mode(&shown(FileKind::Link, 0o7000)), "l--S--S--T");
    }

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_453), (2025, 12, 31));
    }
}
