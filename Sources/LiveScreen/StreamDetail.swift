import Foundation

/// One stream as the admin listener reports it: `docs/ADMIN.md`, "One stream".
package struct StreamDetail: Decodable, Sendable {
    struct Pause: Decodable, Sendable {
        var cause: String
        /// Since the stream began, in seconds.
        var start: Double
        var seconds: Double
        var running: Bool?
    }

    private enum CodingKeys: CodingKey {
        case path, upstream, dropped, resumptions, pauseCount, pauses
    }

    let stream: AdminSnapshot.Stream
    let path: String
    /// `nil` before the stream has one.
    let upstream: String?
    let dropped: Int
    let resumptions: Int
    let pauseCount: Int
    /// The last ones, the oldest first.
    let pauses: [Pause]

    package init(from decoder: any Decoder) throws {
        stream = try AdminSnapshot.Stream(from: decoder)
        let members = try decoder.container(keyedBy: CodingKeys.self)
        path = try members.decode(String.self, forKey: .path)
        upstream = try members.decodeIfPresent(String.self, forKey: .upstream)
        dropped = try members.decode(Int.self, forKey: .dropped)
        resumptions = try members.decode(Int.self, forKey: .resumptions)
        pauseCount = try members.decode(Int.self, forKey: .pauseCount)
        pauses = try members.decode([Pause].self, forKey: .pauses)
    }

    /// Reads the JSON object; `nil` if it is not one, or lacks a member.
    package init?(json: [UInt8]) {
        guard let read = try? JSONDecoder().decode(Self.self, from: Data(json)) else { return nil }
        self = read
    }
}

/// The response to a request for one stream.
package enum StreamAnswer: Sendable {
    case open(StreamDetail)
    /// It was ended; its state before that.
    case ended(StreamDetail)
    /// No stream has this id, or no longer.
    case gone
    /// With the reason.
    case failed(String)
}
