import LogReport

/// The files that are followed and what they come to so far.
struct FollowSession: ~Copyable {
    private let followers: [Follower]
    private(set) var tally: LogTally
    /// Something was read since this was set to `false`.
    var hasChanged = false
    /// Whether every file could be read so far.
    private(set) var isWhole = true

    /// A box: an array holds nothing that cannot be copied.
    private final class Follower {
        let path: String
        var follower: LogFollower

        init(path: String) {
            self.path = path
            follower = LogFollower(path: path)
        }
    }

    /// Pieces of one file before the next one's turn, so that a signal is heard beside files of gigabytes.
    private static let pieces = 16

    init(paths: [String], filter: LogFilter) {
        followers = paths.map(Follower.init)
        tally = LogTally(filter: filter)
    }

    /// Nothing more can come from any file.
    var hasEnded: Bool { followers.allSatisfy { $0.follower.hasEnded } }

    /// Reads on in each file.
    ///
    /// - Parameter warn: Is told once why a file is given up.
    /// - Returns: Whether there may be more at once.
    mutating func catchUp(warn: (String, LogFileError) -> Void) -> Bool {
        var mayHaveMore = false
        for each in followers {
            do throws(LogFileError) {
                let goesOn = try each.follower.catchUp(pieces: Self.pieces) { line in
                    tally.add(line)
                    hasChanged = true
                }
                mayHaveMore = mayHaveMore || goesOn
            } catch {
                warn(each.path, error)
                isWhole = false
            }
        }
        return mayHaveMore
    }

    /// Counts last lines that have no newline.
    mutating func finish() {
        for each in followers { each.follower.finish { tally.add($0) } }
    }
}
