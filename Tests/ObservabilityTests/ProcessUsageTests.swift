import Observability
import Testing

@Suite struct ProcessUsageTests {
    @Test func readsTheTimesAndTheMemory() {
        let stat = "7 (we) ir) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 8 9 20 0 5 0 77 123456 10 18446744073709551615 1"
        let usage = ProcessUsage(stat: stat, ticksPerSecond: 100, pageSize: 4096)
        #expect(usage?.cpuSeconds == 3)
        #expect(usage?.virtualBytes == 123456)
        #expect(usage?.residentBytes == 40960)
        #expect(ProcessUsage(stat: "7 (weir S 1", ticksPerSecond: 100, pageSize: 4096) == nil)
        #expect(ProcessUsage(stat: "7 (weir) S 1", ticksPerSecond: 100, pageSize: 4096) == nil)
    }

    @Test func ofThisProcessNothingIsZero() {
        let usage = ProcessUsage.now()
        #expect(usage.residentBytes > 0 && usage.virtualBytes >= usage.residentBytes)
        #expect(usage.openDescriptors > 2 && usage.maximumDescriptors >= usage.openDescriptors)
    }
}
