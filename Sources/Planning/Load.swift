package import Flow

/// A load as an operator describes it: clients that each open some streams of one route.
package struct Load: Equatable, Sendable {
    package var clients: Int
    package var streamsPerClient = 1
    /// Clients that begin per second, in even distances.
    package var arrivals: Double
    /// Records per second that the upstream has for a stream.
    package var rate: Double
    package var record = ByteCount(256)
    /// From the first client to the end of the plan; no stream ends by itself before.
    package var duration = Duration.seconds(60)
    /// The part of the clients that is slow, from 0 to 1.
    package var slowPart = 0.0
    /// Records per second that a slow client reads; 0 if it reads nothing.
    package var slowRate = 0.0
    /// What the sockets between weir and a slow client hold before weir notices.
    package var sockets = ByteCount.kibibytes(128)
    /// The pace that clients request; `nil` if they request none.
    package var requested: Rate?
    /// The tier of the clients; `nil` if they have none.
    package var tier: String?

    /// All clients begin within a second, unless `arrivals` is set.
    package init(clients: Int, rate: Double) { (self.clients, self.rate, arrivals) = (clients, rate, Double(clients)) }

    var streams: Int { clients * streamsPerClient }

    /// The bounds of the command line: what one process could serve, with room to find out what is too much.
    package static let mostStreams = 1_000_000
    package static let mostStreamsPerClient = 100
    package static let mostRecordsPerSecond = 10_000_000.0
    package static let longest = Duration.seconds(24 * 3600)
}
