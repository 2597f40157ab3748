"""The way with Docker and a GPU: each illness, its sentence and its remedy."""

from pathlib import Path

import pytest

from engine.checkup import Check, Output
from engine.gpu import HOLDERS_QUERY, QUERY
from engine.gpu_checkup import docker
from engine.repository import Answer
from tests.unit.doctor.machine import GPU, HEALTHY, MODEL, ROOT, Patient

OLD_GPU = "0, Tesla T4, GPU-T4, 15360, 15000, 7.5, 570.86.15\n"
TWO_GPUS = GPU + "1, NVIDIA GeForce RTX 4090, GPU-second, 24564, 24100, 8.9, 570.86.15\n"
BUSY_GPU = "0, NVIDIA GeForce RTX 4090, GPU-4090, 24564, 4100, 8.9, 570.86.15\n"
SMALL_GPU = "0, NVIDIA RTX A2000, GPU-A2000, 6138, 6000, 8.6, 570.86.15\n"
ELSEWHERE = "GPU-other, 9, /bin/other, 100\n"
INSTALL = "curl -fsSL https://get.docker.com | sudo sh"
DRIVER = "sudo apt-get install nvidia-driver"
CONFIGURE = "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker"
HOLDER = "GPU-4090, 4711, python, train.py, 20000\n"


def failed(patient: Patient) -> dict[str, tuple[str, str | None]]:
    """Give what failed: sentence and fix by name."""
    return {check.name: (check.says, check.fix) for check in docker(patient.machine()) if not check.passed}


def only(patient: Patient, name: str) -> tuple[str, str | None]:
    """Give sentence and fix of the one check that failed."""
    found = failed(patient)
    assert list(found) == [name]
    return found[name]


def test_a_healthy_machine_passes_and_no_fix_is_printed() -> None:
    """Every check passes, and none of them prescribes anything."""
    checks = docker(Patient().machine())
    assert [check.name for check in checks] == [
        "docker", "compose", "image", "driver", "toolkit", "capability", "memory", "disk", "access",
        "ui_port", "gateway_port", "shm",
    ]
    assert [check for check in checks if not check.passed or check.fix] == []


def test_every_program_that_is_asked_only_looks() -> None:
    """The doctor changes nothing: these are all commands it runs."""
    patient = Patient()
    docker(patient.machine())
    assert {words[:3] for words in patient.asked} == {
        ("docker", "version", "--format"), ("docker", "info", "--format"), ("docker", "image", "inspect"),
        ("docker", "compose", "version"),
        ("docker", "compose", "--project-directory"), ("nvidia-smi", "--list-gpus"), QUERY,
    }


@pytest.mark.parametrize(
    ("output", "says", "fix"),
    [
        (None, "Docker is not installed", INSTALL),
        (Output(1, "permission denied while trying"), "you may not use Docker; log in again after this",
         "sudo usermod -aG docker $USER"),
        (Output(1, "Cannot connect to the daemon"), "Docker does not run", "sudo systemctl start docker"),
        (Output(0, "24.0.7\n"), "Docker Engine 24.0; 25 or newer is needed",
         INSTALL),
    ],
)
def test_docker(output: Output | None, says: str, fix: str) -> None:
    """Missing, forbidden, stopped and old are four illnesses."""
    assert only(Patient({("docker", "version"): output}), "docker") == (says, fix)


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (Output(1, "docker: unknown command: docker compose"), "the Compose plugin is not installed"),
        (Output(0, "v2.17.2\n"), "Compose 2.17; 2.24 or newer is needed"),
    ],
)
def test_compose(output: Output, says: str) -> None:
    """Missing and old have one remedy."""
    patient = Patient({("docker", "compose", "version"): output})
    assert only(patient, "compose") == (says, "sudo apt-get install docker-compose-plugin")


def test_a_card_without_a_driver() -> None:
    """The remedy is the distribution's; what cannot be seen without the driver fails too."""
    absent = {("nvidia-smi", "--list-gpus"): None, QUERY: None, HOLDERS_QUERY: None}
    found = failed(Patient(absent))
    assert found["driver"] == ("there is an NVIDIA card and no driver for it", DRIVER)
    assert set(found) == {"driver", "capability", "memory"}
    ubuntu = Patient(absent, files={Path("/etc/os-release"): "NAME=Ubuntu\nID=ubuntu\n"})
    assert failed(ubuntu)["driver"][1] == "sudo ubuntu-drivers install"


def test_an_old_driver() -> None:
    """TGI's image asks for CUDA 12.2."""
    patient = Patient({QUERY: Output(0, GPU.replace("570.86.15", "525.147.05"))})
    assert only(patient, "driver")[0] == "driver 525.147.05; 535 or newer is needed"


def test_a_driver_that_finds_no_gpu() -> None:
    """After an update the module and the library differ until the next start."""
    mismatch = Output(18, "Failed to initialize NVML: Driver/library version mismatch\n")
    found = failed(Patient({("nvidia-smi",): mismatch, QUERY: mismatch, HOLDERS_QUERY: mismatch}))
    assert found["driver"] == ("nvidia-smi finds no GPU; new drivers need a restart", "sudo reboot")


@pytest.mark.parametrize(
    ("toolkit", "fix"),
    [
        (None, "sudo apt-get install nvidia-container-toolkit"),
        (Output(0, "1.17"), CONFIGURE),
    ],
)
def test_the_container_toolkit(toolkit: Output | None, fix: str) -> None:
    """Not installed, or installed and unknown to Docker."""
    patient = Patient({("docker", "info"): Output(0, '{"Runtimes": {"runc": {}}}'), ("nvidia-ctk",): toolkit,
                       ("nvidia-ctk", "--version"): toolkit})
    assert only(patient, "toolkit")[1] == fix


def test_a_toolkit_that_docker_knows_by_cdi() -> None:
    """Newer Docker lists devices instead of a runtime."""
    info = Output(0, '{"Runtimes": {}, "DiscoveredDevices": [{"ID": "nvidia.com/gpu=0"}]}')
    assert failed(Patient({("docker", "info"): info})) == {}


def test_a_gpu_that_is_too_old() -> None:
    """TGI's kernels begin with Ampere."""
    found = failed(Patient({QUERY: Output(0, OLD_GPU)}))
    assert found["capability"] == (
        "Tesla T4 7.5; TGI needs compute capability 8.0 or newer", "./scripts/up --cpu",
    )


def test_more_shards_than_gpus() -> None:
    """NUM_SHARD beyond the GPUs would make TGI end at once."""
    compose = {ROOT / "compose.yaml": "    shm_size: 1gb\n"}
    found = failed(Patient(settings={"NUM_SHARD": "2"}, files=compose))
    assert found["capability"][1] == "NUM_SHARD=1 docker compose up"
    two = Patient({QUERY: Output(0, TWO_GPUS)}, settings={"NUM_SHARD": "2"}, files=compose)
    assert failed(two) == {}


def test_memory_held_by_another_program() -> None:
    """Who holds it is named, others' GPUs are not, and ending that program is the remedy."""
    patient = Patient({QUERY: Output(0, BUSY_GPU), HOLDERS_QUERY: Output(0, HOLDER + ELSEWHERE)})
    says, fix = only(patient, "memory")
    assert says == (
        f"GPU 0: 4.0 GiB of 24.0 GiB free; {MODEL} in 16 bit needs 16.7 GiB to start; "
        "process 4711 (python, train.py) holds 19.5 GiB"
    )
    assert fix == "sudo kill 4711"


def test_a_gpu_that_is_too_small() -> None:
    """No program holds it: another format or model is the remedy, and scripts/plan knows which."""
    says, fix = only(Patient({QUERY: Output(0, SMALL_GPU)}), "memory")
    assert says.startswith("GPU 0: 5.9 GiB of 6.0 GiB free")
    assert fix == "scripts/plan --env >> .env"


def test_quantisation_is_taken_from_the_settings() -> None:
    """The same GPU is large enough for fewer bytes."""
    twelve = Output(0, "0, NVIDIA GeForce RTX 3060, GPU-3060, 12288, 11900, 8.6, 570.86.15\n")
    assert list(failed(Patient({QUERY: twelve}))) == ["memory"]
    assert failed(Patient({QUERY: twelve}, settings={"QUANTIZE": "fp8"})) == {}


def test_a_disk_that_is_too_full() -> None:
    """The model's size is compared with the disk where Docker keeps volumes."""
    assert only(Patient(free=9_000_000_000), "disk") == (
        f"9.0 GB free at /var/lib/docker; {MODEL} takes 16.1 GB, images come on top", "docker system prune",
    )


def test_a_model_that_is_downloaded_needs_no_room() -> None:
    """The download job's marker in the volume says so."""
    folder = Path("/var/lib/docker/volumes/paddock_cache/_data/paddock")
    marker = folder / f"{MODEL.replace('/', '--')}.complete.json"
    assert failed(Patient(free=1_000_000_000, files={marker: "{}"})) == {}


@pytest.mark.parametrize(
    ("token", "answer", "says", "fix"),
    [
        ("", Answer(401, "GatedRepo", b""), "is gated: accept its licence at https://huggingface.co/",
         "echo HF_TOKEN=hf_YOURS >> .env"),
        ("hf_x", Answer(403, "GatedRepo", b""), "your account has no access",
         f"xdg-open https://huggingface.co/{MODEL}"),
        ("hf_x", Answer(401, "", b""), "the hub does not accept HF_TOKEN", "echo HF_TOKEN=hf_YOURS >> .env"),
        ("", Answer(401, "", b""), "the hub shows no model", "scripts/plan --env >> .env"),
        ("hf_x", Answer(404, "RepoNotFound", b""), "the hub shows no model", "scripts/plan --env >> .env"),
        ("", Answer(404, "RevisionNotFound", b""), "has no revision main", "sed -i /^MODEL_REVISION=/d .env"),
        ("", Answer(0, "", b"", "no route to host"), "cannot be reached (no route to host)",
         "curl -sSI https://huggingface.co"),
        ("", Answer(503, "", b""), "the hub answered 503", f"curl -sSI https://huggingface.co/{MODEL}"),
    ],
)
def test_access_to_exactly_this_model(token: str, answer: Answer, says: str, fix: str) -> None:
    """Sizes then come from the built-in table, and only access fails; the token is not repeated."""
    found_says, found_fix = only(Patient(settings={"HF_TOKEN": token}, answer=answer), "access")
    assert says in found_says
    assert found_fix == fix
    assert "hf_x" not in found_says


def test_a_port_that_is_taken() -> None:
    """The owner is named, and the remedy is the next free port."""
    patient = Patient(taken={8080: "process 12 (nginx)", 8081: "process 13 (x)"})
    assert only(patient, "ui_port") == (
        "8080 is held by process 12 (nginx)", "UI_PORT=8082 docker compose up",
    )


def test_ports_that_this_stack_holds_are_no_illness() -> None:
    """A second look while Paddock runs finds it healthy."""
    running = {("docker", "compose", "--project-directory"): Output(0, "0123abcd\n")}
    assert failed(Patient(running, taken={8080: "docker-proxy", 8000: "docker-proxy"})) == {}


def test_shards_without_shared_memory() -> None:
    """NCCL needs more than Docker's 64 MB."""
    patient = Patient({QUERY: Output(0, TWO_GPUS)}, settings={"NUM_SHARD": "2"})
    assert only(patient, "shm") == (
        "compose.yaml gives the engine 0.0 GB of shared memory; shards need 1 GB",
        "git checkout -- compose.yaml",
    )


def test_a_model_that_nobody_knows() -> None:
    """Memory and disk cannot be judged, and say so instead of passing."""
    patient = Patient(settings={"MODEL_ID": "fox/fable"}, answer=Answer(404, "RepoNotFound", b""))
    assert set(failed(patient)) == {"memory", "disk", "access"}


def test_a_failed_check_always_has_a_remedy() -> None:
    """On a machine where nothing works, every line names a command."""
    patient = Patient(
        dict.fromkeys(HEALTHY), settings={"NUM_SHARD": "2"}, free=0,
        taken=dict.fromkeys(range(8000, 8081), "x"), answer=Answer(0, "", b"", "no network"),
    )
    checks: list[Check] = docker(patient.machine())
    assert [check.name for check in checks if check.passed] == ["image"]  # nothing is ever wrong with it
    assert [check.name for check in checks if not check.passed and not check.fix] == []


DIGEST = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("image", "outputs", "says"),
    [
        ("tgi:3", {}, "tgi:3 has no digest here; docker compose up fetches what is missing"),
        ("tgi:3", {("docker", "image", "inspect"): Output(0, "\n")},
         "tgi:3 has no digest here; docker compose up fetches what is missing"),
        ("tgi:3", {("docker", "image", "inspect"): Output(0, f"tgi@{DIGEST}\n")},
         f"tgi:3 is here as {DIGEST}; to keep exactly this one, .env: TGI_IMAGE=tgi:3@{DIGEST}"),
        (f"tgi:3@{DIGEST}", {("docker", "image", "inspect"): Output(0, f"tgi@{DIGEST}\n")},
         f"tgi:3@{DIGEST} is here as {DIGEST}"),
        (f"tgi:3@{DIGEST}", {("docker", "compose", "--project-directory"): Output(0, "c0ffee\n"),
                             ("docker", "inspect"): Output(0, "sha256:1d\n"),
                             ("docker", "image", "inspect"): Output(1, "no such image"),
                             ("docker", "image", "inspect", "--format", '{{join .RepoDigests " "}}',
                              "sha256:1d"): Output(0, f"tgi@sha256:{'b2' * 32}\n")},
         f"tgi:3@{DIGEST} runs as sha256:{'b2' * 32}"),
    ],
)
def test_the_image_is_told_to_the_byte(image: str, outputs: dict[tuple[str, ...], Output], says: str) -> None:
    """The one that runs before the one of that name; how to keep it is told while it is not kept."""
    patient = Patient(outputs=outputs, settings={"TGI_IMAGE": image})
    (check,) = [check for check in docker(patient.machine()) if check.name == "image"]

    assert check == Check("image", True, says)


@pytest.mark.parametrize("shards", ["0", "3", "99999999999999999999"])
def test_an_impossible_number_of_shards_is_told(shards: str) -> None:
    """And nothing is computed with it."""
    assert failed(Patient(settings={"NUM_SHARD": shards}))["capability"] == (
        f"NUM_SHARD={shards} is impossible: a Llama is split over 1, 2, 4 or 8 GPUs",
        "NUM_SHARD=1 docker compose up",
    )


def test_a_number_that_is_no_port_is_told() -> None:
    """The system is not asked for it."""
    assert only(Patient(settings={"UI_PORT": "99999999"}), "ui_port") == (
        "99999999 is no port: they go up to 65535", "UI_PORT=8080 docker compose up")
