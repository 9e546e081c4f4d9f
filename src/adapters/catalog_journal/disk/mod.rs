//! The bytes of records and events: serde structs of their own, postcard behind
//! a leading version byte. Field order is the form: never change it, add a
//! version. Knows neither journal nor index.

mod blocks;
mod checks;
mod connections;
mod documents;
mod enums;
mod events;
mod expected;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_checks;
#[cfg(test)]
mod golden_documents;
#[cfg(test)]
mod golden_intake;
#[cfg(test)]
mod golden_mandates;
#[cfg(test)]
mod golden_sign_ins;
#[cfg(test)]
mod golden_start;
#[cfg(test)]
mod golden_upload_plan;
mod incidents;
mod instructions;
mod intake;
mod interruptions;
mod mail;
mod mandates;
mod office;
mod people;
mod rows;
mod sign_ins;
mod start;
mod terms;
#[cfg(test)]
mod terms_golden;
mod upload_plan;
mod upload_shares;
mod zip;

use core::net::IpAddr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bodies::{Group, Mark};
use crate::domain::allow_list::AllowList;
use crate::domain::bodies::BodySlot;
use crate::domain::coverage::Coverage;
use crate::domain::credentials::CodeApp;
use crate::domain::digest::Digest;
use crate::domain::history::Event;
use crate::domain::ids::{
    AgreementId, DeliveryId, FactorId, InterruptionId, LinkId, MailId, MandateId, PauseId, PayloadId, PublicationId,
    SessionId, TokenId, UploadId,
};
use crate::domain::ids::{InstructionId, ProposalId};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{
    EmailAddress, FileName, Kvk, Line, LoginName, MailDomain, Oin, OrganisationCode, ProductCode, UploadName,
    VersionName,
};
use crate::domain::network::Network;
use crate::domain::retention::ShredSlot;
use crate::domain::sign_off::PartSet;
use crate::ports::failure::Fault;

pub(super) use events::{decode_events, decode_grouped, encode_events, encode_grouped};
pub(super) use rows::{decode, encode};

/// Largest value in the index: sled keeps larger ones in files of their own, which it loses.
pub(super) const MOST_VALUE_BYTES: usize = 16 * 1024;

/// A domain type and the form in which it lies on disk.
trait Form: Sized {
    /// The form.
    type Disk: Serialize + DeserializeOwned;

    /// Into the form.
    fn to_disk(&self) -> Self::Disk;

    /// Back from the form; a fault says what breaks its rule.
    fn from_disk(disk: Self::Disk) -> Result<Self, Fault>;
}

/// What lies on disk by itself, behind a version byte: written in the newest form, read in every form that was
/// ever written.
trait Stored: Form {
    /// The version of the form.
    const VERSION: u8 = 1;

    /// Reads a version that is no longer written.
    fn from_older(version: u8, _bytes: &[u8]) -> Result<Self, Fault> {
        Err(unknown_version(version))
    }
}

fn unknown_version(version: u8) -> Fault {
    Fault::new(format!("read a value of the catalog: version {version} is unknown"))
}

/// A struct form: names the fields in the order in which they lie on disk.
macro_rules! struct_form {
    ($($disk:ident = $domain:ident { $($field:ident: $kind:ty,)* })*) => {$(
        #[derive(serde::Serialize, serde::Deserialize)]
        pub(super) struct $disk { $($field: <$kind as super::Form>::Disk,)* }

        impl super::Form for $domain {
            type Disk = $disk;

            fn to_disk(&self) -> $disk {
                $disk { $($field: <$kind as super::Form>::to_disk(&self.$field),)* }
            }

            fn from_disk(disk: $disk) -> Result<Self, crate::ports::failure::Fault> {
                Ok(Self { $($field: <$kind as super::Form>::from_disk(disk.$field)?,)* })
            }
        }
    )*};
}
use struct_form;

/// A struct form that is no longer written: its fields as they lie on disk, and what those that came later are.
macro_rules! older_form {
    ($($disk:ident -> $domain:ident { $($field:ident: $kind:ty,)* } and { $($later:ident: $value:expr,)* })*) => {$(
        #[derive(serde::Deserialize)]
        struct $disk { $($field: <$kind as super::Form>::Disk,)* }

        impl $disk {
            fn upgrade(self) -> Result<$domain, crate::ports::failure::Fault> {
                Ok($domain {
                    $($field: <$kind as super::Form>::from_disk(self.$field)?,)*
                    $($later: $value,)*
                })
            }
        }
    )*};
}
use older_form;

macro_rules! text_form {
    ($($name:ident)*) => {$(
        impl Form for $name {
            type Disk = String;
            fn to_disk(&self) -> String {
                self.as_str().to_owned()
            }
            fn from_disk(disk: String) -> Result<Self, Fault> {
                Self::parse(&disk).map_err(|error| Fault::from_error("read a stored name", error))
            }
        }
    )*};
}

text_form! { OrganisationCode ProductCode LoginName FileName UploadName EmailAddress MailDomain Oin Kvk Line VersionName }

macro_rules! id_form {
    ($($name:ident)*) => {$(
        impl Form for $name {
            type Disk = [u8; 16];
            fn to_disk(&self) -> [u8; 16] {
                *self.as_bytes()
            }
            fn from_disk(disk: [u8; 16]) -> Result<Self, Fault> {
                Ok(Self::from_bytes(disk))
            }
        }
    )*};
}

id_form! {
    AgreementId DeliveryId FactorId InterruptionId LinkId MailId MandateId PauseId PayloadId PublicationId SessionId TokenId
    UploadId
}

id_form! { ProposalId InstructionId }

macro_rules! same_form {
    ($($name:ty)*) => {$(
        impl Form for $name {
            type Disk = Self;
            fn to_disk(&self) -> Self {
                self.clone()
            }
            fn from_disk(disk: Self) -> Result<Self, Fault> {
                Ok(disk)
            }
        }
    )*};
}

same_form! { bool u32 u64 String IpAddr Vec<u8> }

macro_rules! millis_form {
    ($($name:ident)*) => {$(
        impl Form for $name {
            type Disk = u64;
            fn to_disk(&self) -> u64 {
                self.millis()
            }
            fn from_disk(disk: u64) -> Result<Self, Fault> {
                Ok(Self::from_millis(disk))
            }
        }
    )*};
}

millis_form! { Moment Span }

impl Form for Digest {
    type Disk = [u8; 32];

    fn to_disk(&self) -> [u8; 32] {
        *self.as_bytes()
    }

    fn from_disk(disk: [u8; 32]) -> Result<Self, Fault> {
        Ok(Self::new(disk))
    }
}

impl Form for ShredSlot {
    type Disk = String;

    fn to_disk(&self) -> String {
        self.to_string()
    }

    fn from_disk(disk: String) -> Result<Self, Fault> {
        Self::parse(&disk).map_err(|error| Fault::from_error("read a stored shred slot", error))
    }
}

impl Form for BodySlot {
    /// Number of the class; year and month.
    type Disk = (u8, u32);

    fn to_disk(&self) -> (u8, u32) {
        (self.class().number(), self.month())
    }

    fn from_disk((class, month): (u8, u32)) -> Result<Self, Fault> {
        Self::from_numbers(class, month)
            .ok_or_else(|| Fault::new(format!("read a stored body slot: class {class}, month {month}")))
    }
}

impl Form for Network {
    type Disk = String;

    fn to_disk(&self) -> String {
        self.to_string()
    }

    fn from_disk(disk: String) -> Result<Self, Fault> {
        Self::parse(&disk).map_err(|error| Fault::from_error("read a stored network", error))
    }
}

impl Form for AllowList {
    type Disk = Vec<String>;

    fn to_disk(&self) -> Vec<String> {
        self.networks().iter().map(Form::to_disk).collect()
    }

    fn from_disk(disk: Vec<String>) -> Result<Self, Fault> {
        let networks = disk.into_iter().map(Network::from_disk).collect::<Result<_, _>>()?;
        Self::new(networks).map_err(|refusal| Fault::new(format!("read a stored allow list: {refusal}")))
    }
}

impl Form for PartSet {
    type Disk = Vec<u8>;

    fn to_disk(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_disk(disk: Vec<u8>) -> Result<Self, Fault> {
        Ok(Self::from_bytes(&disk))
    }
}

impl Form for Coverage {
    /// Gap since the end before, and length: small numbers, so that the most intervals fit in a value.
    type Disk = Vec<(u64, u64)>;

    fn to_disk(&self) -> Self::Disk {
        let mut end_before = 0;
        let mut steps = Vec::with_capacity(self.ranges().len());
        for (start, end) in self.ranges() {
            steps.push((start - end_before, end - start));
            end_before = *end;
        }
        steps
    }

    fn from_disk(disk: Self::Disk) -> Result<Self, Fault> {
        let mut at = 0_u64;
        let mut ranges = Vec::with_capacity(disk.len());
        for (gap, length) in disk {
            let start = at.checked_add(gap);
            let end = start.and_then(|start| start.checked_add(length));
            let (Some(start), Some(end)) = (start, end) else {
                return Err(Fault::new("read a stored coverage: it runs past the largest file"));
            };
            ranges.push((start, end));
            at = end;
        }
        Ok(Self::from_ranges(&ranges))
    }
}

impl<T: Form> Form for Option<T> {
    type Disk = Option<T::Disk>;

    fn to_disk(&self) -> Self::Disk {
        self.as_ref().map(T::to_disk)
    }

    fn from_disk(disk: Self::Disk) -> Result<Self, Fault> {
        disk.map(T::from_disk).transpose()
    }
}

/// Lists, each named: a list of bytes has the form of its own above.
macro_rules! list_form {
    ($([$kind:ty])*) => {$(
        impl Form for Vec<$kind> {
            type Disk = Vec<<$kind as Form>::Disk>;
            fn to_disk(&self) -> Self::Disk {
                self.iter().map(Form::to_disk).collect()
            }
            fn from_disk(disk: Self::Disk) -> Result<Self, Fault> {
                disk.into_iter().map(Form::from_disk).collect()
            }
        }
    )*};
}

list_form! { [MailDomain] [(Line, u64)] [Event] [(u32, Mark)] [Group] [Digest] [CodeApp] }

impl<A: Form, B: Form> Form for (A, B) {
    type Disk = (A::Disk, B::Disk);

    fn to_disk(&self) -> Self::Disk {
        (self.0.to_disk(), self.1.to_disk())
    }

    fn from_disk(disk: Self::Disk) -> Result<Self, Fault> {
        Ok((A::from_disk(disk.0)?, B::from_disk(disk.1)?))
    }
}

fn to_bytes<T: Stored>(value: &T) -> Result<Vec<u8>, Fault> {
    postcard::to_extend(&value.to_disk(), vec![T::VERSION])
        .map_err(|error| Fault::from_error("write a value of the catalog", error))
}

/// The serde struct behind the version byte.
fn parsed<D: DeserializeOwned>(bytes: &[u8]) -> Result<D, Fault> {
    postcard::from_bytes(bytes).map_err(|error| Fault::from_error("read a value of the catalog", error))
}

fn from_bytes<T: Stored>(bytes: &[u8]) -> Result<T, Fault> {
    match bytes.split_first() {
        Some((version, rest)) if *version == T::VERSION => T::from_disk(parsed(rest)?),
        Some((version, rest)) => T::from_older(*version, rest),
        None => Err(Fault::new("read a value of the catalog: it is empty")),
    }
}
