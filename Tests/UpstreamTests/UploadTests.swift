import Testing

@testable import Upstream

@Suite struct UploadTests {
    @Test func theFirstOneMayAlwaysGo() {
        for mayRepeat in [true, false] {
            var upload = Upload(mayRepeat: mayRepeat)
            let begins = upload.begins(isAnswered: false)
            #expect(begins && !upload.wasRefused)
        }
    }

    @Test func whatMayBeRepeatedIs() {
        var upload = Upload(mayRepeat: true)
        let begins = (0..<3).map { _ in upload.begins(isAnswered: false) }
        #expect(begins == [true, true, true] && !upload.wasRefused)
    }

    @Test func whatMayNotBeRepeatedIsNot() {
        var upload = Upload(mayRepeat: false)
        let begins = (0..<2).map { _ in upload.begins(isAnswered: false) }
        #expect(begins == [true, false] && upload.wasRefused)
    }

    @Test func whatIsAnsweredIsNotRepeated() {
        var upload = Upload(mayRepeat: true)
        let begins = [upload.begins(isAnswered: false), upload.begins(isAnswered: true)]
        #expect(begins == [true, false])
    }

    @Test func whatHasLostSomeOfItsBodyIsNotRepeated() {
        var upload = Upload(mayRepeat: true)
        let first = upload.begins(isAnswered: false)
        upload.hasBegun = true
        let second = upload.begins(isAnswered: false)
        #expect(first && !second)
    }

    @Test func itGoesOnWhenMoreHasCome() {
        var upload = Upload()
        #expect(!upload.canGoOn)
        upload.isHeld = true
        #expect(!upload.canGoOn)
        upload.hasMore = true
        #expect(upload.canGoOn)
    }
}
