import Flow
import NIOConcurrencyHelpers
import NIOCore
import Settings

/// The pulls of the process, by key: on which loop each is, and what must not be shared.
///
/// It has a lock, which is taken when a reader joins or leaves and when a pull begins or ends, never for a record.
final class PullTable: Sendable {
    /// How long a key is not tried again after a response that must not be shared.
    private static let refusalTime = Duration.seconds(10)
    private static let mostRefused = 10_000
    /// Readers of one pull whose positions are remembered after they left.
    private static let mostResumePoints = 10_000

    private struct Entry {
        let pull: NIOLoopBound<Pull>
        let id: PullId
        var readers: Int
        var resumePoints = ResumePoints(capacity: PullTable.mostResumePoints)
    }

    private struct Content {
        var pulls: [SharingKey: Entry] = [:]
        /// Pulls of each scope.
        var counts: [Int: Int] = [:]
        var refused = RefusedKeys(for: PullTable.refusalTime, capacity: PullTable.mostRefused)

        mutating func remove(_ key: SharingKey, _ pull: PullId) {
            guard pulls[key]?.id === pull else { return }
            pulls[key] = nil
            counts[key.scope, default: 1] -= 1
            if counts[key.scope] == 0 { counts[key.scope] = nil }
        }
    }

    private let content = NIOLockedValueBox(Content())

    /// Counts a reader of the pull with this key; if there is none, it is made.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - settings: The limits.
    ///   - now: The time.
    ///   - make: Makes a pull, which has not begun; called under the lock.
    /// - Returns: The pull, and whether it is new.
    /// - Throws: Why there is none to join.
    func enter(
        _ key: SharingKey, within settings: RouteSharing, at now: Instant,
        make: (PullId) throws(AdmissionError) -> NIOLoopBound<Pull>
    ) throws(JoinError) -> (pull: NIOLoopBound<Pull>, id: PullId, isNew: Bool) {
        let result = content.withLockedValue { content -> Result<(NIOLoopBound<Pull>, PullId, Bool), JoinError> in
            guard !content.refused.contains(key, at: now) else { return .failure(.refused(.refusedBefore)) }
            if let entry = content.pulls[key] {
                guard entry.readers < settings.settings.maxReaders else { return .failure(.refused(.tooManyReaders)) }
                content.pulls[key]?.readers += 1
                return .success((entry.pull, entry.id, false))
            }
            guard content.counts[key.scope, default: 0] < settings.settings.maxPulls else {
                return .failure(.refused(.tooManyPulls))
            }
            do throws(AdmissionError) {
                let id = PullId()
                let pull = try make(id)
                content.pulls[key] = Entry(pull: pull, id: id, readers: 1)
                content.counts[key.scope, default: 0] += 1
                return .success((pull, id, true))
            } catch {
                return .failure(.notAdmitted(error))
            }
        }
        return try result.get()
    }

    /// A reader left; if its position is known, it may continue from there.
    func left(_ key: SharingKey, _ pull: PullId, as stream: StreamId, at point: ResumePoints.Point?) {
        content.withLockedValue { content in
            guard content.pulls[key]?.id === pull else { return }
            content.pulls[key]?.readers -= 1
            if let point { content.pulls[key]?.resumePoints.add(stream, point) }
        }
    }

    /// The number in the pull of the record after what a client has received of an earlier stream; `nil` if it is not known.
    func record(in pull: PullId, of key: SharingKey, after resume: ResumeRequest) -> Int? {
        content.withLockedValue { content in
            guard let entry = content.pulls[key], entry.id === pull else { return nil }
            return entry.resumePoints.record(of: resume.stream, after: resume.received)
        }
    }

    /// Removes a pull, so that no reader joins it; its end is reported after that.
    func remove(_ key: SharingKey, _ pull: PullId) { content.withLockedValue { $0.remove(key, pull) } }

    /// Removes a pull and marks its key: for some seconds its requests are not shared.
    func refuse(_ key: SharingKey, _ pull: PullId, at now: Instant) {
        content.withLockedValue { content in
            content.remove(key, pull)
            content.refused.mark(key, at: now)
        }
    }

    /// Removes a pull if no reader has entered, on any loop.
    ///
    /// - Returns: Whether it was removed.
    func removeIfUnread(_ key: SharingKey, _ pull: PullId) -> Bool {
        content.withLockedValue { content in
            guard let entry = content.pulls[key], entry.id === pull else { return true }
            guard entry.readers == 0 else { return false }
            content.remove(key, pull)
            return true
        }
    }
}
