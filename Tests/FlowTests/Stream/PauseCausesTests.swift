import Flow
import Testing

@Suite struct PauseCausesTests {
    @Test func theEndOfOneCauseLeavesTheOther() {
        var causes: PauseCauses = [.queueFull, .turnBudget]
        causes.remove(.turnBudget)
        #expect(causes == .queueFull)
        #expect(!causes.isEmpty)
    }

    @Test func aCauseIsNotCountedTwice() {
        var causes: PauseCauses = .queueFull
        causes.insert(.queueFull)
        causes.remove(.queueFull)
        #expect(causes.isEmpty)
    }
}
