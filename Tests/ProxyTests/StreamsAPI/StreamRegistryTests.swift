import Flow
import Testing

@testable import Proxy

@Suite struct StreamRegistryTests {
    private func id(_ number: Int) -> StreamId {
        let text = String(number, radix: 16)
        guard let id = StreamId(String(repeating: "0", count: 32 - text.count) + text) else {
            preconditionFailure("32 hexadecimal digits are an id")
        }
        return id
    }

    @Test func whatWasNeverThereIsUnknown() {
        let registry = StreamRegistry()
        guard case .unknown = registry.place(of: id(1)) else { return #expect(Bool(false), "it is known") }
    }

    @Test func anExpiredStreamIsRememberedAndAnEndedOneIsNot() {
        let registry = StreamRegistry()
        registry.remove(id(1), hasExpired: true)
        registry.remove(id(2), hasExpired: false)
        guard case .expired = registry.place(of: id(1)), case .unknown = registry.place(of: id(2)) else {
            return #expect(Bool(false), "expired and unknown are mixed up")
        }
    }

    @Test func onlyTheLastThatExpiredAreRemembered() {
        let registry = StreamRegistry()
        for number in 0..<20_000 { registry.remove(id(number), hasExpired: true) }
        let remembered = (0..<20_000).count { number in
            if case .expired = registry.place(of: id(number)) { true } else { false }
        }
        #expect(remembered == StreamRegistry.mostExpired)
        guard case .expired = registry.place(of: id(19_999)), case .unknown = registry.place(of: id(0)) else {
            return #expect(Bool(false), "the oldest go first")
        }
    }
}
