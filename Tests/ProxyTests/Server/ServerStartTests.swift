import Flow
import Foundation
import Logging
import NIOCore
import NIOPosix
import Observability
import Settings
import TestSupport
import Testing

@testable import Proxy

@Suite(.timeLimit(.minutes(10))) struct ServerStartTests {
    /// The pages are owned by what all loops share, which all that is on the loops owns.
    @Test func oneThatFailsHalfWayLeavesNothing() async throws {
        let taken = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        defer { taken.close(promise: nil) }
        var configuration = Configuration.oneRoute { $0.healthCheck = .init() }
        (configuration.workers, configuration.admin) = (2, nil)
        let ports = [0, try #require(taken.localAddress?.port)]
        configuration.listen = ports.map { PublicListener(.ip(host: "127.0.0.1", port: $0)) }
        let null = try FileHandle(forWritingTo: URL(filePath: "/dev/null"))
        let log = ProcessLog(level: .critical, to: null.fileDescriptor)
        weak var watched: FakePages?
        do {
            let pages = FakePages()
            watched = pages
            do {
                _ = try await Server.start(
                    configuration, version: "test", pages: pages, accessLog: nil, processLog: log)
                Issue.record("the port is taken")
            } catch is Server.BindError {}
        }
        while watched != nil { await Task.yield() }
        log.close(within: .seconds(10))
    }
}
