import LogReport

/// The followed files and their counts so far.
struct FollowSession: ~Copyable {
    private let followers: [Follower]
    private(set) var tally: LogTally
    /// Whether a line was read since this was set to `false`.
    var hasChanged = false
    /// Whether every file could be read so far.
    private(set) var isWhole = true

    /// A box, because an array cannot hold noncopyable values.
    private final class Follower {
        let path: String
        var follower: LogFollower

        init(path: String) {
            self.path = path
            follower = LogFollower(path: path)
        }
    }

    /// Pieces of one file before the next file's turn, so that a signal is handled during files of gigabytes.
    private static let pieces = 16

    init(paths: [String], filter: LogFilter) {
        followers = paths.map(Follower.init)
        tally = LogTally(filter: filter)
    }

    /// Whether no file will have more lines.
    var hasEnded: Bool { followers.allSatisfy { $0.follower.hasEnded } }

    /// Reads the next lines of each file.
    ///
    /// - Parameter warn: Called once with the reason for which a file is given up.
    /// - Returns: Whether more may be available at once.
    mutating func catchUp(warn: (String, LogFileError) -> Void) -> Bool {
        var mayHaveMore = false
        for each in followers {
            do throws(LogFileError) {
                let mayContinue = try each.follower.catchUp(pieces: Self.pieces) { line in
                    tally.add(line)
                    hasChanged = true
                }
                mayHaveMore = mayHaveMore || mayContinue
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
