import Foundation
import HTTPText

/// One snapshot of the admin listener, with the members that the screen shows: `docs/ADMIN.md`, "The snapshot".
///
/// Times are in seconds.
package struct AdminSnapshot: Decodable, Sendable {
    struct Configuration: Decodable, Sendable {
        var generation: Int
        var lastReload: String
        var olderStreams: Int
        var oldest: Double
    }

    struct Replicas: Decodable, Sendable {
        var name: String?
        var count: Int
        var shared: Bool
        var failures: Int?
    }

    struct Totals: Decodable, Sendable {
        var activeStreams: Int
        var recordsPerSecond: Double
        var bytesPerSecond: Double
        var bufferRecords: Int
        var bufferBytes: Int
        var bufferCapacityRecords: Int
        var bufferCapacityBytes: Int
        var refusals: Int
    }

    struct Route: Decodable, Sendable {
        var route: String
        var activeStreams: Int
        var recordsPerSecond: Double
        var bytesPerSecond: Double
        var bufferRecords: Int
        var refused: [String: Int]

        var refusals: Int { refused.values.reduce(into: 0) { $0.addUpToMost($1) } }
    }

    struct Breaker: Decodable, Sendable {
        var route: String
        var kind: String
        var client: String?
        var upstream: String?
        var state: String
        var retryAfter: Double

        /// The client or upstream of the breaker.
        var name: String { client ?? upstream ?? "" }
    }

    struct Upstream: Decodable, Sendable {
        struct Failure: Decodable, Sendable {
            var cause: String
            var ago: Double
        }

        var route: String
        var upstream: String
        var state: String
        var openRequests: Int
        var requests: Int
        var failures: Int
        var firstByte: Double?
        var lastFailure: Failure?
    }

    struct Stream: Decodable, Sendable {
        var id: String
        var route: String
        var client: String
        var state: String
        var rate: String
        var records: Int
        var bytes: Int
        var buffer: Int
        var bufferRecords: Int
        var paused: Double
        var duration: Double
    }

    struct Pull: Decodable, Sendable {
        var route: String
        var path: String
        var readers: Int
        var records: Int
        var bytes: Int
        var lag: Int
        var paused: Bool
        var duration: Double
    }

    var time: String
    var version: String
    var uptime: Double
    var state: String
    /// Whether streams can be ended.
    var actions: Bool
    var configuration: Configuration
    /// `nil` from a weir whose limits are its own.
    var replicas: Replicas?
    var totals: Totals
    var routes: [Route]
    /// `nil` from an older weir, as `reasons`.
    var upstreams: [Upstream]?
    var reasons: [String]?
    var breakers: [Breaker]
    var slowest: [Stream]
    /// `nil` from a weir that shares no requests.
    var pulls: [Pull]?

    /// Reads the JSON object of `GET /v1/admin/state`; `nil` if it is not one, or lacks a member.
    package init?(json: [UInt8]) {
        guard let read = try? JSONDecoder().decode(Self.self, from: Data(json)) else { return nil }
        self = read
    }
}
