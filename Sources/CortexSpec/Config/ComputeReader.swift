/// Reads the `compute` section.
struct ComputeReader {
    private let section: Section
    private let context: ReadingContext

    init(_ section: Section, _ context: ReadingContext) {
        self.section = section
        self.context = context
    }

    func read() -> ComputeSpec {
        let cpu = self.cpu()
        let mem = self.section.byteCount("mem", minimum: .mebibytes(20), allowsNull: true)?.text
        let gpu = self.section.integer("gpu", in: 0...Int.max) ?? 0
        let inf = self.section.integer("inf", in: 0...1) ?? 0
        self.section.finish()
        if gpu > 0 { self.context.require(.gpu, "gpu", of: self.section, value: "a GPU") }
        if inf > 0 { self.context.require(.inferentia, "inf", of: self.section, value: "Inferentia") }
        if gpu > 0, inf > 0 { self.section.fail("inf", "stands beside gpu", allowed: "give one of the two") }
        return ComputeSpec(cpu: cpu, mem: mem, gpu: gpu, inf: inf)
    }

    private func cpu() -> String? {
        let allowed = "it must be an amount of at least 20m, such as 200m, 0.5 or 2"
        self.section.shape?.note("cpu", .quantity, allowed: allowed, allowsNull: true)
        guard let scalar = self.section.scalar("cpu", allowed: allowed, allowsNull: true) else { return nil }
        guard let value = CPUQuantity(quantity: scalar.text), value.millicores >= 20 else {
            self.section.fail("cpu", "is \(scalar.value == .text ? scalar.text.quoted : scalar.text)", allowed: allowed)
            return nil
        }
        return scalar.text
    }
}
