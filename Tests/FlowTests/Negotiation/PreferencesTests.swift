import Flow
import Testing

@Suite struct PreferencesTests {
    @Test func withoutTheHeaderNothingIsPreferred() {
        #expect(Preferences(prefer: []) == Preferences())
    }

    @Test(arguments: [
        "respond-async, wait=10", "Respond-Async;foo=\"a,b\", wait = 10", "wait=10,respond-async, wait=3",
        "lenient, respond-async ,, wait=10; x",
    ])
    func theWordsAreFoundInAnyForm(value: String) {
        let preferences = Preferences(prefer: [value])
        #expect(preferences.respondsAsync)
        #expect(preferences.wait == 10)
        #expect(!preferences.wantsNotices)
    }

    @Test func severalHeadersAreOneList() {
        let preferences = Preferences(prefer: ["stream-notices", "wait=0", "respond-async"])
        #expect(preferences.wantsNotices && preferences.respondsAsync)
        #expect(preferences.wait == 0)
    }

    @Test(arguments: ["wait", "wait=", "wait=-1", "wait=1.5", "wait=\"5\"", "wait=five"])
    func aMalformedWaitIsNone(value: String) {
        #expect(Preferences(prefer: [value]).wait == nil)
    }

    @Test func aWaitOfManyDigitsIsAYear() {
        #expect(Preferences(prefer: ["wait=99999999999999999999999"]).wait == 31_536_000)
    }
}
