import Flow
import Testing

@testable import Upstream

struct MultiHandlePoolTests {
    private final class NoDelegate: MultiHandleDelegate {
        func timerChanged(of handle: MultiHandle, milliseconds: Int) {}
        func socketChanged(_ socket: CInt, of handle: MultiHandle, easy: UnsafeMutableRawPointer?, interest: CInt) {}
    }

    private let origin = Origin(url: "http://127.0.0.1:1", connectTimeout: .seconds(1), receiveBuffer: nil)
    private let now = Instant(nanoseconds: 1_000_000_000)

    @Test("A handle that is due at once is called once, and by no deadline beside the list")
    func dueAtOnce() throws {
        let delegate = NoDelegate()
        var pool = MultiHandlePool()
        let (handle, _) = try pool.handle(for: origin, delegate: delegate)
        handle.deadline = now
        pool.timerIsDue(of: handle)
        pool.timerIsDue(of: handle)
        #expect(pool.earliestDeadline == .distantFuture)
        pool.timersAreDue(at: now)
        #expect(pool.timersDue == 1)
        #expect(pool.nextDue() === handle)
        #expect(pool.timersDue == 0 && pool.nextDue() == nil)
    }

    @Test("A handle whose deadline has passed is due; one whose deadline is later is not")
    func deadline() throws {
        let delegate = NoDelegate()
        var pool = MultiHandlePool()
        let (handle, _) = try pool.handle(for: origin, delegate: delegate)
        handle.deadline = now
        pool.timersAreDue(at: Instant(nanoseconds: now.nanoseconds - 1))
        #expect(pool.timersDue == 0)
        pool.timersAreDue(at: now)
        #expect(pool.nextDue() === handle)
    }

    @Test("A request after the handles were removed gets a new one, also where a connection was idle")
    func removed() throws {
        let delegate = NoDelegate()
        var pool = MultiHandlePool()
        let (first, _) = try pool.handle(for: origin, delegate: delegate)
        pool.connectionLeftIdle(to: origin, on: first)
        pool.removeAll()
        let (second, isFresh) = try pool.handle(for: origin, delegate: delegate)
        #expect(second !== first && isFresh && pool.count == 1)
    }
}
