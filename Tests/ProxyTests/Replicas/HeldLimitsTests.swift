import Flow
import Logging
import NIOCore
import NIOPosix
import Settings
import Testing

@testable import Proxy

/// Limits of an instance whose store cannot be reached, so that it decides alone.
@Suite struct HeldLimitsTests {
    private let key = StoreKey(.streams, route: "/", client: ClientKey("ann"))
    private let replicas: Replicas
    private let held: HeldLimits

    init() throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next(), key = key
        let replicas = try loop.submit {
            let replicas = try Replicas(
                .init(servers: [RedisAddress(location: .unix(path: "/missing/socket"))]), on: loop,
                log: Logger(label: "test"))
            replicas.stop()
            return replicas
        }.wait()
        let limits = [SharedLimit.streams(key, limit: 3)]
        let verdict = replicas.start(limits, on: loop) { _ in }
        #expect(verdict == .admitted(.alone))
        (self.replicas, held) = (replicas, HeldLimits(limits, .alone, in: replicas))
    }

    private var streams: Int { replicas.withLimits { $0.slots.streams(of: key) } }

    @Test func aSecondReleaseChangesNothing() {
        #expect(streams == 1)
        held.release()
        held.release()
        held.takeBack()
        #expect(streams == 0)
    }

    @Test func whatIsLentIsTakenAgain() {
        held.lend()
        held.lend()
        #expect(streams == 0)
        held.takeAgain()
        held.takeAgain()
        #expect(streams == 1)
        held.release()
        #expect(streams == 0)
    }

    @Test func whatWasReleasedWhileItWasLentIsNotTakenAgain() {
        held.lend()
        held.release()
        held.takeAgain()
        #expect(streams == 0)
    }
}
