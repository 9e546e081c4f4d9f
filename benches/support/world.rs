//! A home of the bench, filled through the operations over the real adapters:
//! organisations with agreements and one robot each. Measures nothing.

use std::fs;
use std::io::{Cursor, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use postkluis::assembly::{self, home};
use postkluis::config::Config;
use postkluis::domain::account::{AccountKind, Language};
use postkluis::domain::history::Channel;
use postkluis::domain::moment::Span;
use postkluis::domain::names::{EmailAddress, FileName, Line, LoginName, OrganisationCode, ProductCode};
use postkluis::operations::{
    Caller, Failure, Fault, NewAccount, NewAgreement, NewOrganisation, NewProduct, Offer, OfferedFile, Operations,
    Published, Recipients, Source, Visitor, fingerprint,
};

use crate::served::{Outcome, SETTINGS};

/// The organisation that signs in.
pub(crate) const FIRST: &str = "org0001";

/// Its robot.
pub(crate) const ROBOT: &str = "org0001-robot";

const CHANNEL: Channel = Channel::CommandLine;

/// Bytes of a file that are made up while they are read, the same at every reading.
struct MadeUp {
    bytes: u64,
}

impl Source for MadeUp {
    fn open(&self) -> Result<Box<dyn Read + Send>, Fault> {
        // A repeated megabyte: neither sealing nor digest is faster for it, and it costs no time to make.
        let block: Arc<[u8]> = (0..1_u32 << 20).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        Ok(Box::new(Repeated { block: Cursor::new(block) }.take(self.bytes)))
    }

    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn verify_unchanged(&self) -> Result<(), Failure> {
        Ok(())
    }
}

struct Repeated {
    block: Cursor<Arc<[u8]>>,
}

impl Read for Repeated {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.block.position() == self.block.get_ref().len() as u64 {
            self.block.set_position(0);
        }
        self.block.read(into)
    }
}

/// Makes a home.
pub(crate) fn make_home(folder: &Path) -> Outcome<()> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    home::init(folder, anywhere, anywhere)?;
    Ok(())
}

/// Opens the stores of a home, as the server does, with what the environment says of them.
pub(crate) fn open(folder: &Path) -> Outcome<Arc<Operations>> {
    let settings = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings = settings.chain(std::env::vars().filter(|(name, _)| name.starts_with("POSTKLUIS_STORAGE__")));
    let config = Config::load(folder, settings).map_err(|faults| faults.to_string())?;
    Ok(assembly::open(&config)?)
}

/// Adds a product.
pub(crate) fn add_product(operations: &Operations, code: &str) -> Outcome<()> {
    let new = NewProduct {
        code: ProductCode::parse(code)?,
        name: Line::parse(code)?,
        retention: Span::from_days(30),
        requires_marker: false,
        accepts_uploads: true,
        end_to_end: false,
    };
    operations.add_product(new, CHANNEL)?;
    Ok(())
}

/// Adds organisation `number` (from 1) with a robot.
pub(crate) fn add_organisation(operations: &Operations, number: usize) -> Outcome<()> {
    let code = format!("org{number:04}");
    let organisation = OrganisationCode::parse(&code)?;
    let name = Line::parse(&code)?;
    let new = NewOrganisation { code: organisation.clone(), name, oin: None, kvk: None, mail_domains: Vec::new() };
    operations.add_organisation(new, CHANNEL)?;
    let owner = EmailAddress::parse(&format!("owner@{code}.example"))?;
    let new = NewAccount {
        login: LoginName::parse(&format!("{code}-robot"))?,
        organisation,
        kind: AccountKind::Machine { owner },
        is_administrator: false,
        language: Language::Dutch,
    };
    operations.add_account(new, CHANNEL)?;
    Ok(())
}

/// Agrees on a product with organisation `number` and couples its robot.
pub(crate) fn agree(operations: &Operations, number: usize, product: &str) -> Outcome<()> {
    let code = format!("org{number:04}");
    let new = NewAgreement {
        organisation: OrganisationCode::parse(&code)?,
        product: ProductCode::parse(product)?,
        purpose: Line::parse("measuring")?,
        retention: None,
        from: None,
        until: None,
        end_to_end: false,
        history_hidden: false,
    };
    operations.add_agreement(new, CHANNEL)?;
    let login = LoginName::parse(&format!("{code}-robot"))?;
    operations.couple(&login, None, &ProductCode::parse(product)?, CHANNEL)?;
    Ok(())
}

/// Adds a public key to the first robot; its caller, signed in with it.
pub(crate) fn add_key(operations: &Operations, public: &Path) -> Outcome<Caller> {
    let line = fs::read_to_string(public)?;
    let blob = line.split_whitespace().nth(1).ok_or("a public key without a key")?;
    let print = fingerprint(&data_encoding::BASE64.decode(blob.as_bytes())?);
    operations.add_key(&LoginName::parse(ROBOT)?, &print, line.trim(), None, CHANNEL)?;
    let visitor = Visitor { address: IpAddr::V4(Ipv4Addr::LOCALHOST), client: Some("bench".to_owned()) };
    Ok(operations.sign_in_with_key(ROBOT, &print, &visitor)?)
}

/// Publishes files of these names and sizes to everybody, or to the first organisation alone.
pub(crate) fn publish(
    operations: &Operations,
    product: &str,
    to_all: bool,
    files: &[(String, u64)],
) -> Outcome<Published> {
    let recipients = if to_all { Recipients::All } else { Recipients::Listed(vec![OrganisationCode::parse(FIRST)?]) };
    let mut offered = Vec::new();
    for (name, bytes) in files {
        offered.push(OfferedFile { name: FileName::parse(name)?, source: Arc::new(MadeUp { bytes: *bytes }) });
    }
    let offer = Offer {
        source_key: uuid::Uuid::new_v4().to_string(),
        product: ProductCode::parse(product)?,
        recipients,
        files: offered,
        period: None,
        counts: Vec::new(),
        sequence: None,
        replaces: None,
        skip_unready: false,
        channel: CHANNEL,
    };
    Ok(operations.publish(&offer)?)
}
