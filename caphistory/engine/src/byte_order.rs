//! The functions of POSIX that turn the bytes of a number round, from the network's order into the
//! machine's or back: on one machine both ways are the same, and each undoes the other.

/// How wide the numbers are whose bytes are turned round.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Order {
    Short,
    Long,
}

impl Order {
    /// That of the function with a name; None for any other function.
    pub fn named(function: &str) -> Option<Order> {
        match function {
            "ntohs" | "htons" => Some(Order::Short),
            "ntohl" | "htonl" => Some(Order::Long),
            _ => None,
        }
    }

    /// The name that stands for both ways.
    pub fn name(self) -> &'static str {
        match self {
            Order::Short => "ntohs",
            Order::Long => "ntohl",
        }
    }
}
