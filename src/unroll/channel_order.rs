//! How the channels of a layer are numbered among its nodes.

/// Node channel of a kernel's output channel: shuffled if the layer feeds nothing but a channel shuffle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ChannelOrder {
    groups: u32,
    per_group: u32,
}

impl ChannelOrder {
    /// The order after a shuffle of `channels` in `groups`; one group leaves them as they are.
    pub fn shuffled(channels: usize, groups: usize) -> Self {
        Self { groups: groups as u32, per_group: (channels / groups) as u32 }
    }
    /// Groups of the shuffle; 0 without one.
    pub fn groups(self) -> u32 {
        if self.groups > 1 { self.groups } else { 0 }
    }
    /// Node channel of output channel `channel`.
    pub fn node_channel(self, channel: u32) -> u32 {
        channel % self.per_group * self.groups + channel / self.per_group
    }
}
