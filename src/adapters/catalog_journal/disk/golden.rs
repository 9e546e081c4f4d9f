//! Golden bytes: one value of every kind, and a body of events, as each version
//! wrote them. A difference means that catalogs on disk can no longer be read.

use super::{decode, decode_events, encode, encode_events};
use crate::domain::account::{Account, AccountKind, Language, SshKey, Token};
use crate::domain::agreement::Agreement;
use crate::domain::allow_list::AllowList;
use crate::domain::block::{Block, EndReason, Standing};
use crate::domain::bodies::{BodyClass, BodyKey, BodySlot};
use crate::domain::compaction::HistoryCut;
use crate::domain::coverage::Coverage;
use crate::domain::credentials::{AccountLink, Assurance, CodeApp, Credentials, LinkPurpose, PasswordHash, WebSession};
use crate::domain::delivery::{
    Availability, DeliveredFile, Delivery, DeliveryPart, Ending, FileCoverage, OutboxEntry, Payload, Progress,
    Publication, SealedHeader,
};
use crate::domain::digest::Digest;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::{
    AgreementId, DeliveryId, FactorId, InterruptionId, LinkId, MailId, PauseId, PayloadId, PublicationId, TokenId,
    UploadId,
};
use crate::domain::interruption::{Interruption, Reach};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{
    EmailAddress, FileName, Kvk, Line, LoginName, MailDomain, Oin, OrganisationCode, ProductCode, UploadName,
};
use crate::domain::notice::{Addressed, Letter, Mail, MailState, NoticeKind};
use crate::domain::organisation::{Organisation, RecipientKey};
use crate::domain::pause::{PausedWindow, WindowPause};
use crate::domain::product::Product;
use crate::domain::record::{
    DeliveryNumber, DoomedPayload, LastSequence, MailDue, PublicationPart, PublishedSource, Record, RightHolder,
    SlotMember, SlotRecord, WindowEnd,
};
use crate::domain::request::{AccountRequest, Employer, RequestAddress, RequestStage, Salutation};
use crate::domain::retention::ShredSlot;
use crate::domain::rights::Right;
use crate::domain::scrub::ScrubPosition;
use crate::domain::sign_off::{PartSet, SignOff};
use crate::domain::upload::{ReceivedStage, Upload, UploadEnd, UploadEntry, UploadHeader, UploadState, UploadSums};

/// Every kind in its first form.
const FIRST: &str = include_str!("../../../../fixtures/catalog/v1/values.txt");
/// The kinds that have a second one.
const SECOND: &str = include_str!("../../../../fixtures/catalog/v2/values.txt");

fn at(days: u64) -> Moment {
    Moment::from_millis(1_790_000_000_000).after(Span::from_days(days))
}

fn line(text: &str) -> Line {
    Line::parse(text).unwrap()
}

fn code() -> OrganisationCode {
    OrganisationCode::parse("gemeente-demo").unwrap()
}

fn product() -> ProductCode {
    ProductCode::parse("leerlingen").unwrap()
}

fn login() -> LoginName {
    LoginName::parse("robot-1").unwrap()
}

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

fn mail_address() -> EmailAddress {
    EmailAddress::parse("beheer@demo.example").unwrap()
}

fn slot() -> ShredSlot {
    ShredSlot::of_day(at(30))
}

const DELIVERY: DeliveryId = DeliveryId::from_bytes([0xd1; 16]);
const PUBLICATION: PublicationId = PublicationId::from_bytes([0xb1; 16]);
const PAYLOAD: PayloadId = PayloadId::from_bytes([0xa1; 16]);
const UPLOAD: UploadId = UploadId::from_bytes([0x71; 16]);
const MAIL: MailId = MailId::from_bytes([0xe1; 16]);
const AGREEMENT: AgreementId = AgreementId::from_bytes([0xc1; 16]);
const DIGEST: Digest = Digest::new([0x5a; 32]);

fn delivery(availability: Availability) -> Record {
    Delivery {
        id: DELIVERY,
        publication: PUBLICATION,
        organisation: code(),
        organisation_name: line("Gemeente Demo"),
        product: product(),
        product_name: line("Leerlingen"),
        agreement: AGREEMENT,
        purpose: line("leerplicht"),
        sequence: 7,
        day: 20_261_123,
        period: Some(line("2026-10")),
        counts: vec![(line("leerlingen"), 1_234)],
        published_at: at(0),
        promised_until: at(30),
        available_until: at(31),
        slot: slot(),
        end_to_end: true,
        file_count: 2,
        total_bytes: 5_000_000_000,
        progress: Progress {
            started_at: Some(at(1)),
            files_fetched: 2,
            fetched_at: Some(at(2)),
            acknowledged_at: Some(at(3)),
        },
        availability,
        replaces: Some(DeliveryId::from_bytes([0xd0; 16])),
    }
    .into()
}

fn deliveries() -> Vec<Record> {
    vec![
        delivery(Availability::Available),
        delivery(Availability::Held { reason: line("onderzoek"), since: at(4) }),
        delivery(Availability::Expired { at: at(5) }),
        delivery(Availability::Withdrawn { at: at(5), reason: line("fout bestand") }),
        delivery(Availability::Replaced { at: at(5), by: DeliveryId::from_bytes([0xd2; 16]) }),
        delivery(Availability::Shredded { at: at(6), after: Ending::Replaced }),
    ]
}

/// `allow_from`: of organisations and accounts; version 1 did not know it.
fn members(allow_from: &AllowList) -> Vec<Record> {
    let block = Block { reason: line("laptop kwijt"), since: at(1), until: Some(at(2)) };
    let account = |kind, standing| Account {
        login: login(),
        organisation: code(),
        kind,
        is_administrator: true,
        language: Language::English,
        standing,
        added_at: at(0),
        allow_from: allow_from.clone(),
    };
    let organisation = Organisation {
        code: code(),
        name: line("Gemeente Demo"),
        oin: Some(Oin::parse("00000001234567890000").unwrap()),
        kvk: Some(Kvk::parse("12345678").unwrap()),
        mail_domains: vec![MailDomain::parse("demo.example").unwrap()],
        standing: Standing::Active,
        added_at: at(0),
        allow_from: allow_from.clone(),
    };
    vec![
        organisation.into(),
        account(AccountKind::Machine { owner: mail_address() }, Standing::Blocked(block)).into(),
        account(AccountKind::Person { email: mail_address() }, Standing::Ended { at: at(3), reason: None }).into(),
        SshKey {
            login: login(),
            fingerprint: "SHA256:abc".to_owned(),
            line: "ssh-ed25519 AAAA".to_owned(),
            added_at: at(0),
            expires_at: Some(at(9)),
            revoked_at: None,
        }
        .into(),
        Token {
            id: TokenId::from_bytes([0xf1; 16]),
            secret_sha256: DIGEST,
            login: login(),
            added_at: at(0),
            expires_at: None,
            revoked_at: Some(at(1)),
        }
        .into(),
        Right { login: login(), recipient: code(), product: product(), since: at(0) }.into(),
        RightHolder { recipient: code(), product: product(), login: login() }.into(),
        RecipientKey {
            organisation: code(),
            fingerprint: "SHA256:def".to_owned(),
            line: "age1abc".to_owned(),
            added_at: at(0),
            retired_at: Some(at(1)),
        }
        .into(),
    ]
}

fn product_row(end_to_end: bool) -> Record {
    Product {
        code: product(),
        name: line("Leerlingen"),
        retention: Span::from_days(30),
        requires_marker: true,
        accepts_uploads: false,
        end_to_end,
        added_at: at(0),
    }
    .into()
}

fn grounds() -> Vec<Record> {
    vec![
        product_row(false),
        Agreement {
            id: AGREEMENT,
            organisation: code(),
            product: product(),
            purpose: line("leerplicht"),
            retention: Some(Span::from_days(14)),
            from: at(0),
            until: Some(at(365)),
            end_to_end: false,
            history_hidden: true,
            added_at: at(0),
            ended_at: None,
        }
        .into(),
    ]
}

fn published() -> Vec<Record> {
    vec![
        Publication {
            id: PUBLICATION,
            product: product(),
            source_key: "spool:1".to_owned(),
            published_at: at(0),
            delivery_count: 3,
        }
        .into(),
        PublishedSource { source_key: "spool:1".to_owned(), publication: PUBLICATION }.into(),
        DeliveryNumber { organisation: code(), product: product(), sequence: 7, delivery: DELIVERY }.into(),
        PublicationPart { publication: PUBLICATION, delivery: DELIVERY }.into(),
        DeliveredFile {
            delivery: DELIVERY,
            number: 1,
            name: name("a_2.csv"),
            original_name: name("a.csv"),
            size_bytes: 300,
            sha256: DIGEST,
            payload: PAYLOAD,
        }
        .into(),
        OutboxEntry {
            organisation: code(),
            product: product(),
            name: name("a.csv"),
            delivery: DELIVERY,
            part: DeliveryPart::Data(1),
            size_bytes: 300,
            published_at: at(0),
            available_until: at(30),
        }
        .into(),
        Payload { id: PAYLOAD, size_bytes: 300, sha256: DIGEST, sealed_bytes: 332, sealed_sha256: DIGEST, headers: 2 }
            .into(),
        SealedHeader { payload: PAYLOAD, delivery: DELIVERY, slot: slot(), sealed: vec![1, 2, 255] }.into(),
        FileCoverage {
            delivery: DELIVERY,
            number: 1,
            coverage: Coverage::from_ranges(&[(0, 10), (200, 300)]),
            released_at: Some(at(1)),
            fetched_at: None,
        }
        .into(),
        LastSequence { organisation: code(), product: product(), sequence: 7 }.into(),
        WindowEnd { at: at(30), delivery: DELIVERY }.into(),
        SlotRecord { slot: slot(), destroyed_at: Some(at(32)) }.into(),
        SlotMember { slot: ShredSlot::of_its_own(at(1), "ab12"), delivery: DELIVERY }.into(),
        DoomedPayload { payload: PAYLOAD }.into(),
    ]
}

fn mail(kind: NoticeKind, letter: Letter, state: MailState) -> Record {
    let (delivery, language) = (Some(DELIVERY), Language::Dutch);
    Mail { id: MAIL, kind, delivery, letter, language, queued_at: at(0), state }.into()
}

fn mails() -> Vec<Record> {
    let plain = |last_error: Option<&str>| {
        let last_error = last_error.map(ToOwned::to_owned);
        Letter::Plain(Addressed { to: mail_address(), login: Some(login()), facts: Vec::new(), last_error })
    };
    let queued = MailState::Queued { attempts: 2, next_at: at(1) };
    vec![
        mail(NoticeKind::DeliveryReady, plain(Some("451 later")), queued),
        mail(NoticeKind::DeliveryWithdrawn, plain(None), MailState::Sent { at: at(1) }),
        mail(NoticeKind::DeliveryReplaced, plain(Some("550 no")), MailState::Failed { at: at(2) }),
        MailDue { at: at(1), mail: MAIL }.into(),
    ]
}

/// What only the second form can say.
fn sealed_mails() -> Vec<Record> {
    let slot = BodySlot::new(BodyClass::Mail, 2026, 11).unwrap();
    let sealed = || Letter::Sealed { slot, bytes: vec![0x5a; 60] };
    let [_, sent, _, _] = <[Record; 4]>::try_from(mails()).unwrap();
    vec![
        mail(NoticeKind::DeliveryReady, sealed(), MailState::Queued { attempts: 2, next_at: at(1) }),
        mail(NoticeKind::DeliveryReplaced, sealed(), MailState::Failed { at: at(2) }),
        sent,
    ]
}

fn uploads() -> Vec<Record> {
    let upload = |mtime_seconds, state| {
        Record::from(Upload {
            id: UPLOAD,
            organisation: code(),
            product: product(),
            name: UploadName::parse(".a.csv.filepart").unwrap(),
            login: login(),
            begun_at: at(0),
            changed_at: at(1),
            mtime_seconds,
            size_bytes: 70_000,
            unfinished_until: at(30),
            slot: slot(),
            state,
        })
    };
    let received = |stage| {
        upload(Some(1_700_000_000), UploadState::Received { at: at(1), sha256: DIGEST, payload: PAYLOAD, stage })
    };
    vec![
        upload(None, UploadState::Unfinished),
        received(ReceivedStage::Resumable),
        received(ReceivedStage::Shown),
        received(ReceivedStage::Kept),
        upload(None, UploadState::Removed { at: at(2) }),
        upload(None, UploadState::Expired { at: at(7), received_sha256: Some(DIGEST) }),
        UploadEntry {
            organisation: code(),
            product: product(),
            name: UploadName::parse("A.csv").unwrap(),
            upload: UPLOAD,
        }
        .into(),
        UploadEnd { at: at(7), upload: UPLOAD }.into(),
        UploadHeader { upload: UPLOAD, payload: PAYLOAD, slot: slot(), sealed: vec![1, 2, 255] }.into(),
        UploadSums { login: login(), unfinished: 2, bytes: 70_000 }.into(),
    ]
}

fn sign_offs() -> Vec<Record> {
    let parts = [DeliveryPart::DigestList, DeliveryPart::Data(300)].into_iter().fold(PartSet::default(), PartSet::with);
    vec![SignOff { delivery: DELIVERY, login: login(), parts, since: at(2) }.into()]
}

fn scrubs() -> Vec<Record> {
    let ended_at = Some(at(9));
    let slot = BodySlot::new(BodyClass::Fetches, 2026, 11).unwrap();
    vec![
        ScrubPosition { begun_at: at(2), after: Some(PAYLOAD), checked: 70_000, damaged: 1, ended_at }.into(),
        BodyKey { slot, closes_at: at(5), destroyed_at: Some(at(400)) }.into(),
        HistoryCut {
            from_sequence: 3,
            from_event: 4,
            next_sequence: 70_000,
            next_event: 80_000,
            hash: DIGEST,
            last_at: at(6),
            bytes: 64 << 20,
        }
        .into(),
    ]
}

fn people() -> Vec<Record> {
    let (factor, link) = (FactorId::from_bytes([7; 16]), LinkId::from_bytes([8; 16]));
    let credentials = Credentials {
        login: login(),
        password: Some(PasswordHash { phc: "$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA".to_owned(), set_at: at(1) }),
        code_apps: vec![CodeApp { id: factor, added_at: at(1), confirmed_at: Some(at(2)), last_step: 59_000_000 }],
        recovery_codes: vec![DIGEST],
        link: Some(link),
        known_sources: vec![DIGEST],
    };
    let session =
        |assurance| WebSession { secret_sha256: DIGEST, login: login(), begun_at: at(3), ends_at: at(9), assurance };
    let link = |purpose| AccountLink { id: link, login: login(), purpose, until: at(5) };
    vec![
        credentials.into(),
        Credentials::none(login()).into(),
        session(Assurance::PasswordAndCode).into(),
        session(Assurance::PasswordAndRecoveryCode).into(),
        link(LinkPurpose::Activate).into(),
        link(LinkPurpose::NewPassword).into(),
        request(
            (Some(line("Anna de Vries")), Salutation::Madam),
            Employer::Known(code()),
            RequestStage::Unconfirmed { until: at(2) },
        ),
        request(
            (None, Salutation::Neutral),
            Employer::Stated { name: line("Gemeente Demo"), kvk: Kvk::parse("12345678").ok() },
            RequestStage::Waiting { since: at(1) },
        ),
        RequestAddress { login: login(), request: LinkId::from_bytes([8; 16]) }.into(),
    ]
}

fn request((name, salutation): (Option<Line>, Salutation), organisation: Employer, stage: RequestStage) -> Record {
    let invited_by = name.is_none().then(login);
    AccountRequest {
        id: LinkId::from_bytes([8; 16]),
        email: mail_address(),
        salutation,
        name,
        organisation,
        language: Language::English,
        invited_by,
        made_at: at(0),
        mails: 2,
        stage,
    }
    .into()
}

fn interruptions() -> Vec<Record> {
    let (id, pause) = (InterruptionId::from_bytes([9; 16]), PauseId::from_bytes([10; 16]));
    let interruption =
        |reach, pause| Interruption { id, reach, nature: line("onderhoud"), from: at(1), until: at(2), pause };
    vec![
        interruption(Reach::Sftp, None).into(),
        interruption(Reach::Https, Some(pause)).into(),
        interruption(Reach::All, None).into(),
        WindowPause { id: pause, organisation: Some(code()), since: at(1), until: None }.into(),
        WindowPause { id: pause, organisation: None, since: at(1), until: Some(at(3)) }.into(),
        PausedWindow { pause, delivery: DELIVERY }.into(),
    ]
}

fn events() -> Vec<Event> {
    let who = Who {
        login: Some(login()),
        organisation: Some(code()),
        channel: Channel::Sftp,
        address: Some("192.0.2.7".parse().unwrap()),
        credential: Some("SHA256:abc".to_owned()),
        client: Some("OpenSSH_9.2".to_owned()),
    };
    let mut away = who.clone();
    away.address = Some("2001:db8::7".parse().unwrap());
    away.channel = Channel::Api;
    let about = About {
        organisation: Some(code()),
        login: Some(login()),
        product: Some(product()),
        publication: Some(PUBLICATION),
        delivery: Some(DELIVERY),
        file: Some(name("a.csv")),
    };
    vec![
        Event::new(Happening::FileFetched, who, about).with_bytes(300),
        Event::new(Happening::SignedIn, away, About::default()).with_until(at(1)).with_note("kort"),
        Event::new(Happening::TimeConfirmed, Who::operator(Channel::CommandLine), About::default()),
        Event::new(Happening::PublicationRefused, Who::operator(Channel::Spool), About::default()),
    ]
}

/// Every kind, as far as version 1 could say it.
fn records() -> Vec<Record> {
    let open = AllowList::default();
    [
        members(&open),
        grounds(),
        published(),
        deliveries(),
        mails(),
        uploads(),
        sign_offs(),
        scrubs(),
        people(),
        interruptions(),
    ]
    .concat()
}

/// What only version 2 can say.
fn second_records() -> Vec<Record> {
    let listed = AllowList::parse(&["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"]).unwrap();
    let products = [product_row(true), product_row(false)];
    let mut ended = members(&AllowList::default())[2].clone();
    if let Record::Account(account) = &mut ended {
        account.standing = Standing::Ended { at: at(3), reason: Some(EndReason::Misuse) };
    }
    [&members(&listed)[..3], &members(&AllowList::default())[..3], &products, &sealed_mails(), &[ended]].concat()
}

fn written(record: &Record) -> String {
    format!("{} {}", record.kind(), data_encoding::HEXLOWER.encode(&encode(record).unwrap()))
}

fn lines(golden: &str) -> Vec<&str> {
    golden.lines().filter(|line| !line.starts_with('#')).collect()
}

fn read(line: &str) -> (u8, Record) {
    let (kind, hex) = line.split_once(' ').unwrap();
    let kind = kind.parse().unwrap();
    (kind, decode(kind, &data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()).unwrap())
}

#[test]
fn each_kind_is_written_in_its_newest_form() {
    let second: Vec<String> = second_records().iter().map(written).collect();
    assert_eq!(second, lines(SECOND));
    let newer: std::collections::BTreeSet<u8> = second_records().iter().map(Record::kind).collect();
    let mut first = lines(FIRST);
    let events = data_encoding::HEXLOWER.encode(&encode_events(&events()).unwrap());
    assert_eq!(first.pop().unwrap(), format!("events {events}"));
    assert_eq!(first.len(), records().len());
    for (line, record) in first.into_iter().zip(records()) {
        let is_newest = !newer.contains(&record.kind());
        assert_eq!(written(&record) == line, is_newest, "{line}");
    }
}

#[test]
fn golden_bytes_of_every_version_read_back() {
    let mut first = lines(FIRST);
    let body = first.pop().unwrap().strip_prefix("events ").unwrap();
    assert_eq!(decode_events(&data_encoding::HEXLOWER.decode(body.as_bytes()).unwrap()).unwrap(), events());
    let mut kinds = std::collections::BTreeSet::new();
    for (line, record) in first.into_iter().zip(records()).chain(lines(SECOND).into_iter().zip(second_records())) {
        let (kind, read) = read(line);
        kinds.insert(kind);
        assert_eq!(read, record, "{line}");
    }
    assert_eq!(
        kinds.into_iter().collect::<Vec<u8>>(),
        (1..=32).chain([40, 41, 42, 50, 51, 52, 53, 54, 60, 61, 62]).collect::<Vec<u8>>(),
        "every kind has its bytes"
    );
}

#[test]
fn other_versions_and_kinds_and_large_values_are_faults() {
    let mut bytes = encode(&mails().pop().unwrap()).unwrap();
    assert!(decode(99, &bytes).is_err());
    *bytes.first_mut().unwrap() = 2;
    assert!(decode(22, &bytes).is_err());
    let mut account = encode(&members(&AllowList::default())[1]).unwrap();
    for version in [0, 3] {
        *account.first_mut().unwrap() = version;
        let fault = decode(2, &account).unwrap_err().to_string();
        assert!(fault.contains(&format!("version {version} is unknown")), "{fault}");
    }
    assert!(decode(22, &[]).is_err());
    let most = (0..64).map(|n| format!("2001:db8:1234:5678:9abc:def0:1234:56{n:02x}")).collect::<Vec<_>>();
    for record in members(&AllowList::parse(&most).unwrap()) {
        let value = encode(&record).unwrap();
        assert_eq!(decode(record.kind(), &value).unwrap(), record, "the longest allow list fits");
    }
    let large = SealedHeader { payload: PAYLOAD, delivery: DELIVERY, slot: slot(), sealed: vec![0; 17_000] };
    let fault = encode(&large.into()).unwrap_err().to_string();
    assert!(fault.contains("kind 18") && fault.contains("16384"), "{fault}");
    // The most intervals of a file of 4 TiB fit.
    let spread: Vec<(u64, u64)> = (0..1_024).map(|n| (n << 32, (n << 32) + (1 << 31))).collect();
    let coverage = Coverage::from_ranges(&spread);
    let full = FileCoverage { delivery: DELIVERY, number: 1, coverage, released_at: None, fetched_at: None };
    let value = encode(&full.clone().into()).unwrap();
    assert_eq!(decode(19, &value).unwrap(), Record::from(full));
}
