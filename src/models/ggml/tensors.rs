//! Walks the weight tensors of a model file without reading a weight.
//!
//! The second half of the file check: each record's dimensions, name and type must be possible, and
//! the last one must end where the file ends.

use std::io::{Read, Seek};

use super::header::{Header, Input};
use crate::models::ModelError;

/// Longest name in whisper's table is `encoder.positional_embedding` and its like, under 64.
const NAME_BYTES: i32 = 128;

/// Describes how the numbers of a tensor are stored: a block of `elements` takes `bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WeightType {
    elements: i64,
    bytes: i64,
}

impl WeightType {
    /// Converts `ggml_type`; sizes from ggml-common.h of whisper.cpp 1.8.3.
    fn from_ggml(ggml_type: i32) -> Option<Self> {
        let (elements, bytes) = match ggml_type {
            0 => (1, 4),      // F32
            1 | 30 => (1, 2), // F16, BF16
            2 => (32, 18),    // Q4_0
            3 => (32, 20),    // Q4_1
            6 => (32, 22),    // Q5_0
            7 => (32, 24),    // Q5_1
            8 => (32, 34),    // Q8_0
            10 => (256, 84),  // Q2_K
            11 => (256, 110), // Q3_K
            12 => (256, 144), // Q4_K
            13 => (256, 176), // Q5_K
            14 => (256, 210), // Q6_K
            _ => return None,
        };
        Some(Self { elements, bytes })
    }

    /// Converts the header's `ftype`, whose thousands are the version of the quantisation.
    pub(super) fn from_ftype(ftype: i32) -> Option<Self> {
        Self::from_ggml(match ftype % 1_000 {
            same @ (0..=3 | 10..=14) => same,
            7 => 8,
            8 => 6,
            9 => 7,
            24 => 30,
            _ => return None,
        })
    }

    /// Returns the numbers in one block: a row must be a multiple of it.
    pub(super) fn block(self) -> i64 {
        self.elements
    }
}

/// Walks to the end of the file and counts the tensors.
///
/// # Errors
/// `Malformed` for an impossible record, `Incomplete` if the file ends within one or too early.
pub(super) fn walk<R: Read + Seek>(
    input: &mut Input<'_, R>,
    header: &Header,
    weights: WeightType,
) -> Result<usize, ModelError> {
    let demanded = header.demanded_tensors();
    // No tensor of a model has more numbers than its vocabulary or its widest layer.
    let width = i64::from(header.n_state);
    let most = width * i64::from(header.n_vocab).max(4 * width);
    let mut count = 0;
    while input.left() > 0 {
        if count == demanded {
            return Err(
                input.malformed(format!("{} bytes follow its {demanded} tensors", input.left()))
            );
        }
        tensor(input, count, most, weights)?;
        count += 1;
    }
    if count > 0 && count < demanded {
        return Err(input.incomplete(format!("it has {count} of {demanded} tensors")));
    }
    Ok(count)
}

fn tensor<R: Read + Seek>(
    input: &mut Input<'_, R>,
    index: usize,
    most: i64,
    weights: WeightType,
) -> Result<(), ModelError> {
    let place = format!("in tensor {index}");
    let (n_dims, name_bytes) = (input.i32(&place)?, input.i32(&place)?);
    let ggml_type = input.i32(&place)?;
    input.within(&format!("the number of dimensions of tensor {index}"), n_dims, 1, 4)?;
    input.within(
        &format!("the length of the name of tensor {index}"),
        name_bytes,
        1,
        NAME_BYTES,
    )?;
    let stored = WeightType::from_ggml(ggml_type)
        .ok_or_else(|| input.malformed(format!("type {ggml_type} of tensor {index} is unknown")))?;
    // Besides the header's type only F16 and F32 occur: convolutions, biases and positions.
    if stored != weights && stored.elements != 1 {
        return Err(input.malformed(format!(
            "type {ggml_type} of tensor {index} is not the type in the header"
        )));
    }
    let mut elements = 1_i64;
    let mut row = 1_i64;
    for dimension in 0..n_dims {
        let size = i64::from(input.i32(&place)?);
        // Each is at most 2^31, and so is the product so far, so this cannot overflow.
        elements = if (1..=most).contains(&size) { elements * size } else { 0 };
        if !(1..=most).contains(&elements) {
            return Err(input.malformed(format!(
                "dimension {dimension} of tensor {index} is {size}, too large for this model or not \
                 positive"
            )));
        }
        if dimension == 0 {
            row = size;
        }
    }
    if row % stored.elements != 0 {
        return Err(input.malformed(format!("rows of tensor {index} are not complete blocks")));
    }
    input.skip(i64::from(name_bytes), &place)?;
    input.skip(elements / stored.elements * stored.bytes, &place)
}
