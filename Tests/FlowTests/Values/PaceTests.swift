import Flow
import Testing

@Suite struct PaceTests {
    @Test func readsARateOrTheWordUnlimited() throws {
        #expect(Pace("unlimited") == .unlimited)
        #expect(Pace("10/s") == .limited(try .of("10/second")))
        for text in ["", "Unlimited", "none", "off", "0/s"] { #expect(Pace(text) == nil) }
    }

    @Test func isWrittenAsItIsRead() throws {
        #expect(Pace.unlimited.text == "unlimited")
        #expect(Pace.limited(try .of("2.50/m")).text == "2.5/minute")
    }

    @Test func unlimitedIsFasterThanEveryRate() throws {
        #expect(Pace.limited(try .of("999999999.999999/s")) < .unlimited)
        #expect(Pace.limited(try .of("1/m")) < .limited(try .of("1/s")))
        #expect(Pace.unlimited <= .unlimited)
    }
}
