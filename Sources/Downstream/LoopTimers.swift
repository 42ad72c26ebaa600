package import Flow
package import NIOCore

/// Whoever set a timer.
package protocol TimerTarget: AnyObject {
    /// The timer's instant has come; it is no longer set. On the loop.
    func timerFired(_ timer: LoopTimer, at now: Instant)
}

/// One timer of a stream or a connection; belongs to the loop whose ``LoopTimers`` set it.
///
/// The target owns the timer and must cancel it in its own end: the reference back is unowned.
package final class LoopTimer {
    fileprivate var index = -1
    /// When it fires; meaningful while it is set.
    package fileprivate(set) var due = Instant.distantFuture
    fileprivate unowned let target: any TimerTarget

    package init(target: any TimerTarget) { self.target = target }

    package var isSet: Bool { index >= 0 }
}

/// All timers of one event loop, behind one timer of NIO.
///
/// A binary heap in which every timer knows its place, so that a stream's end takes its timers out at once: entries left
/// to expire would let a client that connects and leaves at a slow rate grow the heap for an hour. Setting, moving and
/// cancelling are O(log n) without allocation.
///
/// Wake-ups fall on whole ticks of a millisecond: a thousand metered streams then share a thousand wake-ups a second
/// instead of having one each, and a record leaves at most one tick after it is due, never before.
package final class LoopTimers {
    package static let tick: Int64 = 1_000_000

    private let eventLoop: any EventLoop
    private let clock: () -> Instant
    private var heap: [LoopTimer] = []
    private var wakeUp = Instant.distantFuture

    /// Called after timers have fired together: the time to write what they caused.
    package var turnEnded: () -> Void = {}

    package init(on eventLoop: any EventLoop, clock: @escaping () -> Instant) {
        self.eventLoop = eventLoop
        self.clock = clock
    }

    package var count: Int { heap.count }

    /// Sets or moves a timer; `distantFuture` cancels it.
    package func set(_ timer: LoopTimer, at due: Instant) {
        guard due != .distantFuture else { return cancel(timer) }
        timer.due = due
        if timer.index < 0 {
            timer.index = heap.count
            heap.append(timer)
            siftUp(timer.index)
        } else {
            siftUp(timer.index)
            siftDown(timer.index)
        }
        schedule()
    }

    package func cancel(_ timer: LoopTimer) {
        guard timer.index >= 0 else { return }
        let hole = timer.index
        timer.index = -1
        let last = heap.removeLast()
        guard last !== timer else { return }
        heap[hole] = last
        last.index = hole
        siftUp(hole)
        siftDown(last.index)
    }

    /// Fires what is due, and sees to the next wake-up.
    fileprivate func wokeUp() {
        let now = clock()
        guard now >= wakeUp else { return }  // a wake-up that an earlier one has overtaken
        wakeUp = .distantPast  // what is set from here on is seen to below
        while let timer = heap.first, timer.due <= now {
            cancel(timer)
            timer.target.timerFired(timer, at: now)
        }
        turnEnded()
        wakeUp = .distantFuture
        schedule()
    }

    /// Sees to it that the loop wakes up on the first timer's tick, unless it will do so by then anyway.
    private func schedule() {
        guard let due = heap.first?.due, due < wakeUp, due.nanoseconds <= .max - Self.tick else { return }
        let next = Instant(nanoseconds: (due.nanoseconds + Self.tick - 1) / Self.tick * Self.tick)
        guard next < wakeUp else { return }
        wakeUp = next
        let delay = max(0, wakeUp.nanoseconds - clock().nanoseconds)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        // Fails only on a loop that has been shut down: nobody waits there any more.
        _ = try? eventLoop.scheduleCallback(in: .nanoseconds(delay), handler: WakeUp(timers: bound))
    }

    // MARK: The heap

    private func siftUp(_ start: Int) {
        var child = start
        let timer = heap[child]
        while child > 0 {
            let parent = (child - 1) / 2
            guard timer.due < heap[parent].due else { break }
            place(heap[parent], at: child)
            child = parent
        }
        place(timer, at: child)
    }

    private func siftDown(_ start: Int) {
        var parent = start
        let timer = heap[parent]
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].due < heap[child].due { child += 1 }
            guard heap[child].due < timer.due else { break }
            place(heap[child], at: parent)
            parent = child
        }
        place(timer, at: parent)
    }

    private func place(_ timer: LoopTimer, at index: Int) {
        heap[index] = timer
        timer.index = index
    }
}

private struct WakeUp: NIOScheduledCallbackHandler, Sendable {
    let timers: NIOLoopBound<LoopTimers>

    func handleScheduledCallback(eventLoop: some EventLoop) { timers.value.wokeUp() }
}
