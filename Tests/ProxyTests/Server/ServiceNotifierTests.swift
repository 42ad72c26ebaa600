import Flow
import Glibc
import Logging
import TestSupport
import Testing

@testable import Proxy

@Suite struct ServiceNotifierTests {
    /// A datagram socket of a service manager.
    private final class Manager {
        private let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)

        init?(at name: some Collection<UInt8>) {
            guard UnixSocketName(name)?.bind(descriptor) ?? false else { return nil }
        }

        deinit { _ = close(descriptor) }

        /// The pending message; `nil` if there is none.
        func message() -> String? {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
            return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
        }
    }

    private func notifier(_ environment: [String: String]) -> ServiceNotifier {
        ServiceNotifier(environment: environment, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func eachStateIsOneMessageWithTheAssignmentsOfSystemd() {
        #expect(ServiceNotifier.State.ready.message == "READY=1")
        #expect(
            ServiceNotifier.State.reloading(Instant(nanoseconds: 7_000_900)).message
                == "RELOADING=1\nMONOTONIC_USEC=7000")
        #expect(
            ServiceNotifier.State.stopping(within: .seconds(38)).message
                == "STOPPING=1\nEXTEND_TIMEOUT_USEC=38000000")
    }

    @Test func sendsToAPath() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/notify"
        let manager = try #require(Manager(at: path.utf8))
        notifier(["NOTIFY_SOCKET": path]).send(.ready)
        #expect(manager.message() == "READY=1")
        #expect(manager.message() == nil)
    }

    @Test func sendsToAnAbstractName() throws {
        let name = "weir-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let manager = try #require(Manager(at: [0] + name.utf8))
        notifier(["NOTIFY_SOCKET": "@" + name]).send(.ready)
        #expect(manager.message() == "READY=1")
    }

    @Test(arguments: ["", "@", "relative", "vsock:2:1234", "/nowhere/notify", "/" + String(repeating: "x", count: 200)])
    func anAddressThatCannotBeReachedIsNoFault(address: String) {
        notifier(["NOTIFY_SOCKET": address]).send(.ready)
    }

    @Test func withoutAServiceManagerNothingIsSent() { notifier([:]).send(.ready) }
}
