//! Text: its encoding block by block, then its lines and its records, which get the same blocks.

use std::io::Read;

use super::findings::Findings;
use super::lines::Lines;
use super::records::Records;
use super::{BLOCK_BYTES, fill};
use crate::domain::check_plan::{Encoding, Presence, TextPlan};
use crate::ports::failure::Fault;

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// A character of UTF-8 that is cut by the end of a block has at most so many bytes before the cut.
const MOST_CUT_BYTES: usize = 3;

/// Reads text to its end, or to the first place where it is no text of this encoding.
pub(super) fn judge(
    plan: &TextPlan,
    client_marks: &[String],
    bytes: &mut dyn Read,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let mut of_records = Findings::new();
    let mut lines = Lines::new(plan);
    let mut records = plan.records.as_ref().map(|records| Records::new(records, plan, client_marks));
    let mut block = vec![0; BLOCK_BYTES];
    let mut cut = 0;
    let mut is_begin = true;
    loop {
        let mut held = cut + fill(bytes, block.get_mut(cut..).unwrap_or_default())?.len();
        let is_end = held == cut;
        // a mark, or its absence, is seen only with its three bytes
        while is_begin && held < MARK.len() {
            let more = fill(bytes, block.get_mut(held..).unwrap_or_default())?.len();
            if more == 0 {
                break;
            }
            held += more;
        }
        let mut part = block.get(..held).unwrap_or_default();
        if is_begin {
            is_begin = false;
            part = without_mark(plan, part, findings);
        }
        let sound = sound_bytes(plan.encoding, part);
        let (good, rest) = part.split_at(sound.unwrap_or_else(|at| at));
        lines.take(good, findings);
        if let Some(records) = records.as_mut() {
            records.take(good, &mut of_records);
        }
        if sound.is_err() || (is_end && !rest.is_empty()) {
            let code = if rest.first().is_some_and(|byte| *byte < 0x20) { "control-character" } else { "encoding" };
            findings.at(lines.number(), 0, code);
            findings.absorb(of_records);
            return Ok(());
        }
        if is_end {
            break;
        }
        cut = rest.len();
        let from = held - cut;
        block.copy_within(from..held, 0);
    }
    lines.end(findings);
    findings.counted("lines", lines.complete());
    if let Some(records) = records {
        records.end(&mut of_records);
    }
    findings.absorb(of_records);
    Ok(())
}

fn without_mark<'a>(plan: &TextPlan, begin: &'a [u8], findings: &mut Findings) -> &'a [u8] {
    match (begin.strip_prefix(MARK), plan.byte_order_mark) {
        (Some(rest), Presence::Allowed | Presence::Required) if plan.encoding == Encoding::Utf8 => rest,
        (Some(rest), _) if plan.encoding == Encoding::Utf8 => {
            findings.at(1, 0, "byte-order-mark");
            rest
        }
        (None, Presence::Required) => {
            findings.at(1, 0, "no-byte-order-mark");
            begin
        }
        _ => begin,
    }
}

/// How many bytes from the beginning are sound: all but a character that the end cuts; or where they are not.
fn sound_bytes(encoding: Encoding, part: &[u8]) -> Result<usize, usize> {
    let is_control = |byte: &u8| *byte < 0x20 && !b"\t\n\x0C\r".contains(byte);
    // one pass without a branch for each byte finds nothing in almost every block
    let has_control =
        part.iter().fold(false, |found, byte| found | (*byte < 0x20 && !matches!(byte, 9 | 10 | 12 | 13)));
    let clean = if has_control { part.iter().position(is_control).unwrap_or(part.len()) } else { part.len() };
    let sound = match encoding {
        Encoding::Latin1 => part.len(),
        Encoding::Ascii if part.is_ascii() => part.len(),
        Encoding::Ascii => part.iter().position(|byte| !byte.is_ascii()).unwrap_or(part.len()),
        Encoding::Utf8 => match core::str::from_utf8(part) {
            Ok(_) => part.len(),
            Err(error) if error.error_len().is_none() && part.len() - error.valid_up_to() <= MOST_CUT_BYTES => {
                return if clean < error.valid_up_to() { Err(clean) } else { Ok(error.valid_up_to()) };
            }
            Err(error) => error.valid_up_to(),
        },
    };
    let sound = sound.min(clean);
    if sound == part.len() { Ok(sound) } else { Err(sound) }
}
