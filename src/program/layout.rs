//! Where channels, rows, cells and counts lie in the flat arrays.

/// Sizes and offsets of a program.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    pub n_parameters: usize,
    pub n_bins: usize,
    pub n_auxdata: usize,
    pub(crate) n_rows: usize,
    pub(crate) n_cells: usize,
    pub(crate) channels: Vec<ChannelLayout>,
    /// How many rows, its parts, each sample has.
    pub(crate) rows_of_sample: Vec<usize>,
}

/// One channel: its rows (the parts of its samples) and cells follow one another, the cells of a row bin by bin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelLayout {
    pub first_bin: usize,
    pub n_bins: usize,
    pub first_row: usize,
    pub n_rows: usize,
    pub first_cell: usize,
    /// In [`Layout::rows_of_sample`].
    pub first_sample: usize,
    pub n_samples: usize,
}

impl Layout {
    /// Groups of eight that hold the rows and at least one empty row, where padded cells point.
    pub(crate) fn row_groups(&self) -> usize {
        self.n_rows / 8 + 1
    }

    pub(crate) fn cell_groups(&self) -> usize {
        self.n_cells.div_ceil(8)
    }

    /// Channel and bin in the channel of a bin of the whole model.
    pub(crate) fn channel_of_bin(&self, bin: usize) -> (usize, usize) {
        let channel = self.channels.partition_point(|c| c.first_bin <= bin).saturating_sub(1);
        (channel, bin - self.channels[channel].first_bin)
    }
}
