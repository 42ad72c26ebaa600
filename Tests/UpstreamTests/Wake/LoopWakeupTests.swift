import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(10))) struct LoopWakeupTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    private func makeWakeup() async throws -> NIOLoopBound<LoopWakeup> {
        try await loop.submit { [loop] in NIOLoopBound(try LoopWakeup(on: loop), eventLoop: loop) }.get()
    }

    @Test(arguments: [false, true]) func nothingIsWrittenAfterItsEnd(isStarted: Bool) async throws {
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (out, input) = (ends[0], ends[1])
        defer {
            close(out)
            close(input)
        }
        _ = fcntl(out, F_SETFL, O_NONBLOCK)
        var isTested = false
        // A test that runs at the same time may take the number first.
        for _ in 0..<1000 where !isTested {
            let wakeup = try await makeWakeup()
            if isStarted { try await loop.flatSubmit { wakeup.value.start {} }.get() }
            isTested = try await loop.submit {
                wakeup.value.stop()
                let copy = fcntl(input, F_DUPFD_CLOEXEC, wakeup.value.descriptor)
                defer { close(copy) }
                guard copy == wakeup.value.descriptor else { return false }
                wakeup.value.signal()
                return true
            }.get()
        }
        var byte: UInt8 = 0
        #expect(isTested && read(out, &byte, 1) == -1)
    }

    @Test func oneThatHasEndedCannotStart() async throws {
        let wakeup = try await makeWakeup()
        await #expect(throws: SystemError.self) {
            try await loop.flatSubmit {
                wakeup.value.stop()
                return wakeup.value.start {}
            }.get()
        }
    }
}
