"""Bodies of answers about single test images."""

from pydantic import BaseModel, ConfigDict, Field

from service.domain.comparisons.cells import Factor


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Misclassified(_Answer):
    """Which test images a trained network gets wrong."""

    test_images: int = Field(description="How many images were scored.", examples=[1000])
    n: int = Field(description="How many of them it gets wrong.", examples=[3])
    indices: list[int] = Field(
        description="Their places in the data set's test set, from 0, of the chosen classes where not all are used.",
        examples=[[17, 404, 991]],
    )


class DifferingImage(_Answer):
    """One test image."""

    index: int = Field(description="Its place in the test set, from 0.", examples=[17])
    a_correct: int = Field(description="Seeds of group a that get it right.", examples=[3])
    b_correct: int = Field(description="Seeds of group b that get it right.", examples=[0])


class DifferingImages(_Answer):
    """Test images that most seeds of group a get right and most of group b wrong, by the last epoch's weights."""

    a: dict[str, Factor] = Field(examples=[{"activation": "swish"}])
    b: dict[str, Factor] = Field(examples=[{"activation": "relu"}])
    n_a: int = Field(description="Seeds of group a with a result.", examples=[3])
    n_b: int = Field(description="Seeds of group b with a result.", examples=[3])
    test_images: int = Field(description="How many images were scored.", examples=[1000])
    total: int = Field(description="How many such images there are; `images` has the first of them.", examples=[1])
    images: list[DifferingImage] = Field(
        description="Those on which the groups differ most come first.",
        examples=[[{"index": 17, "a_correct": 3, "b_correct": 0}]],
    )
