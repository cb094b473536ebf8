"""Bodies of answers about single test images."""

from pydantic import BaseModel, ConfigDict, Field

from service.domain.comparisons.cells import Factor


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Misclassified(_Answer):
    """The test images that a trained network gets wrong."""

    test_images: int = Field(description="The number of test images.", examples=[1000])
    n: int = Field(description="The number of images that it gets wrong.", examples=[3])
    indices: list[int] = Field(
        description="The indices of these images in the test set of the chosen classes, from 0.",
        examples=[[17, 404, 991]],
    )


class DifferingImage(_Answer):
    """A test image, and the number of seeds of each group that get it right."""

    index: int = Field(description="The index of the image in the test set, from 0.", examples=[17])
    a_correct: int = Field(description="Seeds of group a that get it right.", examples=[3])
    b_correct: int = Field(description="Seeds of group b that get it right.", examples=[0])


class DifferingImages(_Answer):
    """The test images that most seeds of group a get right and most of group b wrong, by the last epoch's weights."""

    a: dict[str, Factor] = Field(examples=[{"activation": "swish"}])
    b: dict[str, Factor] = Field(examples=[{"activation": "relu"}])
    n_a: int = Field(description="Seeds of group a with a result.", examples=[3])
    n_b: int = Field(description="Seeds of group b with a result.", examples=[3])
    test_images: int = Field(description="The number of test images.", examples=[1000])
    total: int = Field(description="The number of such images; `images` has the first of them.", examples=[1])
    images: list[DifferingImage] = Field(
        description="The images, those on which the groups differ most first.",
        examples=[[{"index": 17, "a_correct": 3, "b_correct": 0}]],
    )
