"""Write model folders with PyTorch, Transformers and PEFT."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from torch import nn

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
ESCAPE = "{{ messages.__class__.__mro__[-1].__subclasses__() }}"


class Payload:
    """Runs a program when it is loaded; ``true`` does nothing."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


class Net(nn.Module):
    """A class of somebody's own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores."""
        return self.layer(x)


def main(folder: Path) -> None:
    """Write every folder of this environment."""
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    torch.save(net.state_dict(), place(folder, "torch-state-dict") / "model.pt")
    torch.save(net, place(folder, "torch-module") / "model.pt")
    torch.save(Net(), place(folder, "torch-own-class") / "model.pt")
    torch.save({"state": net.state_dict(), "epoch": 3, "best": Payload()}, place(folder, "hostile-torch") / "model.pt")
    torch.onnx.export(
        net, (torch.zeros(1, 4),), str(place(folder, "onnx-external-data") / "m.onnx"), external_data=True
    )
    torch.jit.trace(net, torch.zeros(1, 4)).save(str(place(folder, "torchscript") / "model.pt"))
    hub(folder)


def place(folder: Path, name: str) -> Path:
    """Make the folder of a model."""
    made = folder / name
    made.mkdir(parents=True)
    return made


def hub(folder: Path) -> None:
    """Write what Transformers and PEFT write."""
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Trainer, TrainingArguments

    words = {word: place for place, word in enumerate(["<unk>", "</s>", "a", "b", "c"])}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(words, unk_token="<unk>")), eos_token="</s>"
    )
    small = LlamaConfig(
        vocab_size=8, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=32,
    )  # fmt: skip
    model = LlamaForCausalLM(small)
    for name, template in (("hugging-face", TEMPLATE), ("hostile-hugging-face", ESCAPE)):
        tokenizer.chat_template = template
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        (folder / name / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
        (folder / name / ".gitattributes").write_text("*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
    get_peft_model(LlamaForCausalLM(small), LoraConfig(r=2)).save_pretrained(folder / "lora")
    rows = [{"input_ids": torch.tensor([2, 3]), "labels": torch.tensor([2, 3])}] * 2
    arguments = TrainingArguments(str(folder / "trainer"), max_steps=1, report_to=[], use_cpu=True, save_strategy="no")
    trainer = Trainer(model=LlamaForCausalLM(small), args=arguments, train_dataset=rows)
    trainer.train()
    trainer.save_model()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
