/// A package that predictors may import although no file asks for it.
struct KnownPackage: Hashable, Sendable {
    /// How it is to be had.
    enum Source: Hashable, Sendable {
        /// By its name.
        case index
        /// By a requirement that says more than its name.
        case requirement(String)
        /// The worker has it already.
        case worker
        /// TensorFlow, whose builds have names of their own.
        case tensorFlow
        /// Of torch's family: the builds of the package index need CUDA on Linux.
        case torch
        /// A build for CPUs alone, under this name, where the platform has one.
        case withCPUBuild(String)
        /// A build for GPUs, under this name.
        case withGPUBuild(String)
        /// Not in the package index.
        case elsewhere(advice: String)
    }

    /// In the spelling of PEP 503.
    let name: String
    /// What is imported: top-level names, or dotted ones where the top is shared.
    let modules: [String]
    var source = Source.index
    /// Other packages that give the same modules: one that the project asks for stands for this one.
    var builds: Set<String> = []
    /// Known packages that it cannot work without, and does not itself ask for.
    var needs: [String] = []
    /// Whether it takes hundreds of megabytes: then only an import that must succeed brings it.
    var isLarge = false
}

/// What packages are chosen for.
struct PackageTarget: Hashable, Sendable {
    /// As Python names it, such as `linux-x86_64`.
    var platform: String
    var python: ToolVersion
    var hasGPU = false

    /// Where packages come in builds for CPUs and builds for CUDA, and the latter are the usual ones.
    var isLinuxOnX86: Bool { self.platform == "linux-x86_64" }
}

extension KnownPackage {
    /// What to ask the installer for; nil where it cannot be asked for anything.
    func requirement(on target: PackageTarget) -> String? {
        switch self.source {
        case .index, .torch: self.name
        case .requirement(let text): text
        case .worker, .elsewhere: nil
        case .tensorFlow where target.hasGPU: "tensorflow[and-cuda]"
        case .tensorFlow: target.isLinuxOnX86 ? "tensorflow-cpu" : "tensorflow"
        case .withCPUBuild(let build): target.isLinuxOnX86 && !target.hasGPU ? build : self.name
        case .withGPUBuild(let build): target.isLinuxOnX86 && target.hasGPU ? build : self.name
        }
    }

    /// Whether the project asks for it itself, in whatever build.
    func isAsked(by names: Set<String>) -> Bool {
        names.contains(self.name) || !self.builds.isDisjoint(with: names)
    }
}
