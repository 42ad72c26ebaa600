import Flow
import TestSupport
import Testing

/// Random walks of a client that keeps changing its mind, against what each number should be.
@Suite struct EffectiveTermsModelTests {
    /// In records an hour, so that every rate of the walk is a whole number.
    private struct Model {
        let granted: Int, maximum: Int, grantedBuffer: Int, maximumBuffer: Int
        var rate: Int?
        var delayRate: Int?
        var buffer: Int?

        var pace: Int { min(rate.map { min($0, maximum) } ?? granted, delayRate ?? .max) }
        var records: Int { buffer.map { min($0, maximumBuffer) } ?? grantedBuffer }
    }

    @Test(arguments: 0..<100) func agreesWithAPlainModel(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let maximum = Int.random(in: 1...100_000, using: &random)
        let maximumBuffer = Int.random(in: 1...1000, using: &random)
        var model = Model(
            granted: .random(in: 1...maximum, using: &random), maximum: maximum,
            grantedBuffer: .random(in: 1...maximumBuffer, using: &random), maximumBuffer: maximumBuffer)
        let policy = Policy(maximumPace: try pace(model.maximum), maximumBuffer: maximumBuffer)
        var wish = EffectiveTerms(
            granted: Terms(
                pace: try pace(model.granted), burst: 1, buffer: model.grantedBuffer, maximumBytes: .mebibytes(1),
                maximumRecordBytes: .mebibytes(1)), policy: policy)
        for _ in 0..<100 {
            wish.received(try feedback(changing: &model, using: &random))
            #expect(wish.terms.pace == (try pace(model.pace)))
            #expect(wish.terms.buffer == model.records)
        }
    }

    private func feedback(changing model: inout Model, using random: inout SeededGenerator) throws -> Feedback {
        var feedback = Feedback()
        if Bool.random(using: &random) {
            model.rate = Bool.random(using: &random) ? .random(in: 1...200_000, using: &random) : nil
            feedback.rate = try model.rate.map(pace) ?? .unlimited
        }
        if Bool.random(using: &random) {
            // Divisors of an hour in milliseconds.
            model.delayRate = [nil, 1, 60, 3600, 14_400, 36_000, 100_000].randomElement(using: &random) ?? nil
            feedback.processingDelay = .milliseconds(model.delayRate.map { 3_600_000 / $0 } ?? 0)
        }
        if Bool.random(using: &random) {
            let buffer = Int.random(in: 1...2000, using: &random)
            (model.buffer, feedback.bufferSize) = (buffer, buffer)
        }
        return feedback
    }

    private func pace(_ recordsPerHour: Int) throws -> Pace {
        .limited(try #require(Rate(recordsPerHour, per: .hour)))
    }
}
